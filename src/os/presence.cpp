#include "os/presence.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <utility>

namespace pw {
namespace {

constexpr int kHow = O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC;

std::string mark_in(const std::string& folder) { return folder + "/.served"; }

struct flock whole_file(int type) {
  struct flock lock {};
  lock.l_type = static_cast<short>(type);
  lock.l_whence = SEEK_SET;
  return lock;
}

bool is_locked(int fd) {
  struct flock found = whole_file(F_WRLCK);
  return fcntl(fd, F_OFD_GETLK, &found) == 0 && found.l_type != F_UNLCK;
}

bool is_there(int fd, const std::string& path) {
  struct stat ours {};
  struct stat there {};
  return fstat(fd, &ours) == 0 && lstat(path.c_str(), &there) == 0 && ours.st_dev == there.st_dev &&
         ours.st_ino == there.st_ino;
}

}  // namespace

bool Presence::announce(const std::string& folder) {
  const std::string mark = mark_in(folder);
  if (fd_ && is_there(fd_.get(), mark)) return true;
  fd_.reset();
  // Without O_CREAT first: in a sticky folder the kernel refuses that for another's file.
  Fd fd(open(mark.c_str(), kHow));
  if (!fd) fd = Fd(open(mark.c_str(), kHow | O_CREAT, 0644));
  if (!fd || is_locked(fd.get())) return false;
  // For reading: the file may be another's.
  struct flock lock = whole_file(F_RDLCK);
  if (fcntl(fd.get(), F_OFD_SETLK, &lock) != 0) return false;
  fd_ = std::move(fd);
  return true;
}

bool Presence::seen(const std::string& folder) {
  const Fd fd(open(mark_in(folder).c_str(), kHow));
  return fd && is_locked(fd.get());
}

}  // namespace pw
