#pragma once
#include <optional>
#include <string>

#include "core/process_tree.hpp"
#include "core/result.hpp"
#include "core/time.hpp"
#include "os/note_folder.hpp"

namespace pw {

/// Who has been told of a notice, for a daemon that dies and is started again: one note per process
/// of this boot, written when the signal has been sent. Within one boot CLOCK_MONOTONIC goes on, so
/// a note counts until the end that it was told of, whatever is done to the wall clock; a notice of
/// before that end is the same one.
class ToldBook {
 public:
  static Result<ToldBook> open(const std::string& state_dir);

  bool knows(const ProcessId& process, Instant now);
  Result<void> write(const ProcessId& process, Instant end);
  void forget(const ProcessId& process);

  /// The machine's end, as the first of us has seen it: this one, or a nearer one that was noted
  /// before and has not passed. What it returns is noted.
  Instant earliest(Instant end, Instant now);
  bool names_an_end(Instant now);
  void forget_end();

 private:
  explicit ToldBook(NoteFolder folder);
  std::optional<Instant> noted(const std::string& name, Instant now);
  std::string text_of(Instant end) const;
  NoteFolder folder_;
  std::string boot_;
};

}  // namespace pw
