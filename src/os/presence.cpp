#include "os/presence.hpp"

#include <fcntl.h>
#include <sys/file.h>

namespace pw {
namespace {

constexpr int kHow = O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC;

std::string mark_in(const std::string& folder) { return folder + "/.served"; }

}  // namespace

bool Presence::announce(const std::string& folder) {
  const std::string mark = mark_in(folder);
  // Without O_CREAT first: in a sticky folder the kernel refuses that for another's file.
  Fd fd(open(mark.c_str(), kHow));
  if (!fd) fd = Fd(open(mark.c_str(), kHow | O_CREAT, 0644));
  if (!fd || flock(fd.get(), LOCK_EX | LOCK_NB) != 0) return false;
  fd_ = std::move(fd);
  return true;
}

bool Presence::seen(const std::string& folder) {
  const Fd fd(open(mark_in(folder).c_str(), kHow));
  return fd && flock(fd.get(), LOCK_SH | LOCK_NB) != 0;
}

}  // namespace pw
