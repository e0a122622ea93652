#pragma once
#include <sys/types.h>

#include <string>
#include <vector>

#include "os/pid_file_lock.hpp"

namespace pw {

/// A PID file of ours: one number and a newline, so that `kill -USR1 $(cat P)` works; 0644, written
/// under a temporary name and renamed, so that nobody ever reads half of it. May hang on a
/// filesystem that does: os/pid_file lets a process of its own do it.
class OwnedPidFile {
 public:
  OwnedPidFile(std::string path, std::string host, int wrapper);

  /// Takes the file if nobody proven alive on this host owns it: who holds the lock (and wrote no
  /// other host's name into it), or the living process that the file means by core/pid_file's
  /// rules. Else the owner, for "P belongs to OWNER". What was there is told in warnings().
  std::string claim();

  void write(int trainer);  ///< nothing once claim() has given the file up
  void remove();            ///< only if it is still ours

  /// The end: the lock goes with a file that is gone, and stays beside one that was not removed.
  void leave();

  std::vector<std::string> take_warnings() { return std::move(warnings_); }

 private:
  std::string holder() const;
  std::string living_owner();
  void warn(const std::string& text) { warnings_.push_back(path_ + " " + text); }
  bool replace_by(int pid);
  bool still_ours() const;

  std::string path_;
  LockRecord us_;
  PidFileLock lock_;
  std::vector<std::string> warnings_;
  bool given_up_ = false;
  int written_ = 0;  // the PID that stands in it
  dev_t device_ = 0;
  ino_t inode_ = 0;
};

}  // namespace pw
