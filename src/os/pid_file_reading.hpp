#pragma once
#include <optional>
#include <string>
#include <vector>

#include "core/pid_file.hpp"
#include "core/result.hpp"
#include "os/aside.hpp"

namespace pw {

/// What the file says, as far as the file alone tells (core/pid_file has the rules). The error is
/// one line with the path: "/run/t.pid is empty". May hang on a filesystem that does: for what runs
/// beside a training there is PidFileReading.
Result<PidFileFacts> read_pid_file(const std::string& path);

/// The same for one file, or for all of a folder, by a process of its own (os/aside): whoever asks
/// never hangs. Each file is answered as soon as it is read.
class PidFileReading {
 public:
  static Result<PidFileReading> of_file(const std::string& path);

  /// What may be a PID file there: not `.x`, `x.lock` and `x.tmp`, nor what is no regular file and
  /// is not called `x.pid`; in the order of their names.
  static Result<PidFileReading> of_folder(const std::string& folder);

  /// The same, and of the folders in it, which are their owners' (links are not followed). Of each
  /// owner but root so many files and folders only that nobody stands in another's way.
  static Result<PidFileReading> of_folders(const std::string& folder);

  /// One file's answer; nothing: none by `until`, or all are told (over()). The error's line names
  /// the file, or the folder that cannot be read.
  std::optional<Result<PidFileFacts>> next(Instant until);
  bool over() const { return aside_.over(); }
  bool complete() const { return complete_; }  ///< of_folders(): nothing is missing
  int fd() const { return aside_.fd(); }
  ProcessId helper() const { return aside_.id(); }  ///< not of the trainer's tree

 private:
  explicit PidFileReading(Aside aside) : aside_(std::move(aside)) {}
  Aside aside_;
  bool complete_ = false;
};

}  // namespace pw
