#include "os/file_lock.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/vfs.h>

#include <cerrno>
#include <cstdint>

namespace pw {
namespace {

constexpr int kHow = O_RDWR | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY;

// flock(2) of Storage Scale is granted to two nodes at the same time; fcntl's is not
// (versity/versitygw#2351).
bool is_gpfs(int fd) {
  constexpr std::uint32_t kGpfs = 0x47504653;
  struct statfs found {};
  return fstatfs(fd, &found) == 0 && static_cast<std::uint32_t>(found.f_type) == kGpfs;
}

int set_open_file_lock(int fd, short type) {
  struct flock whole {};
  whole.l_type = type;
  whole.l_whence = SEEK_SET;
  return fcntl(fd, F_OFD_SETLK, &whole);
}

}  // namespace

FileLock FileLock::open(int folder, const char* name) {
  Fd fd(openat(folder, name, kHow | O_CREAT, 0600));
  // MooseFS says so of a file that is there, though it was not asked to make it alone.
  if (!fd && errno == EEXIST) fd = Fd(openat(folder, name, kHow));
  if (!fd) return {std::move(fd), Kind::none};
  const Kind kind = is_gpfs(fd.get()) ? Kind::open_file : Kind::flock;
  return {std::move(fd), kind};
}

FileLock::Try FileLock::try_lock() {
  if (kind_ == Kind::none) return Try::unsupported;
  ++requests_;
  const int result = kind_ == Kind::flock ? flock(fd_.get(), LOCK_EX | LOCK_NB)
                                          : set_open_file_lock(fd_.get(), F_WRLCK);
  if (result == 0) return Try::taken;
  if (errno == EWOULDBLOCK || errno == EACCES || errno == EINTR) return Try::busy;
  // What this filesystem has not, it will not have later; a lock server may come back (ENOLCK).
  if (errno == ENOSYS || errno == EOPNOTSUPP || errno == EINVAL) kind_ = Kind::none;
  return Try::unsupported;
}

void FileLock::unlock() {
  if (kind_ == Kind::none) return;
  ++requests_;
  if (kind_ == Kind::flock) {
    flock(fd_.get(), LOCK_UN);
  } else {
    set_open_file_lock(fd_.get(), F_UNLCK);
  }
}

}  // namespace pw
