#pragma once
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.hpp"
#include "core/time.hpp"
#include "os/fd.hpp"

namespace pw {

/// A folder of notes below the state folder: symbolic links whose targets are one line of text,
/// since symlink(2) excludes on every filesystem, and nobody ever reads half a link. Storage only;
/// os/requeue_marker, os/requeue_history, os/rank_book and os/told_book call it. It may hang on a
/// filesystem that does (so os/aside). Names are ours, of letters, digits, `.`, `-` and `_`; a text
/// has 1 to kTextMax bytes. Errors name the path.
class NoteFolder {
 public:
  static constexpr std::size_t kTextMax = 900;

  /// Makes `state` and `part` in it (0700, with parents). Refuses what os/own_folder refuses.
  static Result<NoteFolder> open(const std::string& state, const std::string& part);

  /// False: somebody else's note has that name.
  Result<bool> make(const std::string& name, const std::string& text);
  /// Nothing: there is none. Empty: what is there cannot be understood.
  Result<std::optional<std::string>> read(const std::string& name);
  /// Atomically, whether there is one or not.
  Result<void> replace(const std::string& name, const std::string& text);
  Result<void> remove(const std::string& name);

  Result<std::vector<std::string>> names();
  /// When it was last written, by the filesystem's clock, which all nodes share.
  std::optional<Nanos> stamp(const std::string& name);

  /// False when the folder was removed or moved away.
  bool there() const;

  /// Removes notes that are older than `fresh` by more than `age`; at most kPruned are looked at,
  /// so the work is bounded. Trouble here is nobody's.
  void prune(const std::string& fresh, Nanos age);
  static constexpr int kPruned = 256;

 private:
  NoteFolder(std::string path, Fd folder) : path_(std::move(path)), folder_(std::move(folder)) {}
  Error cannot(const char* what, const std::string& name, int why) const;

  std::string path_;
  Fd folder_;
};

}  // namespace pw
