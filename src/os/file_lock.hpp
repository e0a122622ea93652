#pragma once
#include <cstdint>

#include "os/fd.hpp"

namespace pw {

/// A lock of a file that other nodes may see, or may not: it saves wasted tries and proves nothing
/// (seen: bindfs, GPFS, NFS nolock and most FUSE grant it twice without an error). Tried without
/// blocking, never held while sleeping, closed on exec. flock(2); where that stays in the node but
/// fcntl(2) does not (GPFS) an open file description lock.
class FileLock {
 public:
  FileLock() = default;  ///< not supported
  /// `name` in the folder, made if absent. Whatever fails: a lock that is not supported.
  static FileLock open(int folder, const char* name);

  enum class Try { taken, busy, unsupported };  ///< unsupported: ENOLCK, ENOSYS, EROFS, ...
  Try try_lock();
  void unlock();

  std::uint64_t requests() const { return requests_; }  ///< made so far

 private:
  enum class Kind { none, flock, open_file };
  FileLock(Fd fd, Kind kind) : fd_(std::move(fd)), kind_(kind) {}
  Fd fd_;
  Kind kind_ = Kind::none;
  std::uint64_t requests_ = 0;
};

}  // namespace pw
