#pragma once
#include <set>
#include <string>

#include "core/result.hpp"
#include "os/note_folder.hpp"

namespace pw {

/// Where the ranks of a step tell each other that they have ended: notes `<rank>` in
/// `<state>/ranks/<cluster>.<job>.<restart>.<step>`, and `over` of rank 0. The folder stays with
/// that alone, for whoever comes late, and goes after 30 days. os/rank_wait's keeper calls it,
/// since it hangs where the disk does. What is older than our own note by more than a day is
/// another job's of that number.
class RankBook {
 public:
  /// Writes that `rank` has ended.
  static Result<RankBook> open(const std::string& state, const std::string& step, int rank);

  struct Page {
    std::set<int> ended;
    bool over = false;  ///< said so, or the folder is gone
  };
  Result<Page> read();
  void write_for(int rank);  ///< of our node, that ended without a word; trouble is nobody's

  /// All have ended: the others need not look any further.
  Result<void> close();

  /// Books of 30 days ago go; bounded.
  static void prune(const std::string& state);

 private:
  RankBook(NoteFolder folder, int rank) : folder_(std::move(folder)), own_(std::to_string(rank)) {}
  bool is_recent(const std::string& name);

  NoteFolder folder_;
  std::string own_;
  std::set<std::string> recent_;
};

}  // namespace pw
