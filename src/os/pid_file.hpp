#pragma once
#include <string>
#include <vector>

#include "core/result.hpp"
#include "os/aside.hpp"

namespace pw {

/// `--pid-file` for the life of one run: os/owned_pid_file, done by a process of its own
/// (os/aside), so that a full, read-only or hung filesystem never delays the trainer's start, a
/// relay or the end by more than the limits given. That process holds the lock; when we are killed
/// it goes, too, and leaves the file: the trainer may still be saving, and the next run replaces
/// what is stale.
class PidFile {
 public:
  static Result<PidFile> start(const std::string& path, const std::string& host);

  /// The owner proven alive, for "P belongs to OWNER": then nothing may be started. Empty: nobody,
  /// or no answer by `limit`; then it comes as a trouble.
  std::string wait_for_owner(Instant limit);

  void write(int trainer);  ///< never blocks
  void remove();            ///< never blocks; only if it is still ours

  /// What went wrong, each once.
  std::vector<std::string> troubles();
  int trouble_fd() const { return settled_ ? -1 : keeper_.fd(); }  ///< -1: nothing is expected

  /// The lock goes; what hangs is left to itself after `limit`.
  void close(Instant limit);

  ProcessId helper() const { return keeper_.id(); }  ///< not of the trainer's tree

 private:
  PidFile(Aside keeper, std::string path) : keeper_(std::move(keeper)), path_(std::move(path)) {}
  void take(const std::string& message);
  void hear_until(Instant limit);

  Aside keeper_;
  std::string path_;
  std::vector<std::string> troubles_;
  std::string owner_;
  bool claimed_ = false;  // we were answered
  bool settled_ = false;  // it has been written, or never will be
  bool removed_ = false;
};

}  // namespace pw
