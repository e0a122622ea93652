#include "os/log_stream.hpp"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <algorithm>
#include <array>

#include "core/text.hpp"

namespace pw {
namespace {

constexpr int kLastMoment = 1000;

// Filesystems on this machine, which do not hang: statfs(2) types of ext, xfs, btrfs, tmpfs,
// overlay, and /dev. Everything else (NFS, Lustre, GPFS, FUSE, CIFS, ...) may.
bool local_filesystem(int fd) {
  struct statfs found {};
  if (fstatfs(fd, &found) != 0) return false;
  constexpr std::array kLocal = std::to_array<unsigned long>(
      {0xEF53, 0x58465342, 0x9123683E, 0x01021994, 0x794C7630, 0x2FC12FC1});
  return std::find(kLocal.begin(), kLocal.end(), static_cast<unsigned long>(found.f_type)) !=
         kLocal.end();
}

}  // namespace

// A pipe, FIFO or terminal is opened anew, which gives a description of our own that may be
// non-blocking; the trainer writes to the same stderr and must find it as it was.
void LogStream::choose_way() {
  struct stat found {};
  if (fstat(STDERR_FILENO, &found) != 0) return;
  way_ = Way::blocking;
  if (S_ISREG(found.st_mode)) {
    if (local_filesystem(STDERR_FILENO)) return;
    if (auto writer = Writer::to_fd(STDERR_FILENO)) {
      writer_.emplace(std::move(*writer));
      way_ = Way::writer;
    }
    return;
  }
  if (S_ISFIFO(found.st_mode) || S_ISCHR(found.st_mode)) {
    description_ = Fd(::open("/proc/self/fd/2", O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC));
    if (description_) way_ = Way::description;
  }
}

// What a socket has taken can be told by nobody who reads from what follows it.
bool LogStream::put_rest() {
  if (rest_.empty()) return true;
  const ssize_t sent = send(STDERR_FILENO, rest_.data(), rest_.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
  if (sent > 0) rest_.erase(0, static_cast<std::size_t>(sent));
  return rest_.empty();
}

bool LogStream::put(std::string_view line) {
  if (!put_rest()) return false;
  const auto all = static_cast<ssize_t>(line.size());
  if (way_ == Way::description) {
    return ::write(description_.get(), line.data(), line.size()) == all;
  }
  if (way_ == Way::writer) return writer_->write_line(line);
  // Sockets cannot be opened anew, but can be sent to without waiting; the rest is asked first.
  const ssize_t sent = send(STDERR_FILENO, line.data(), line.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
  if (sent > 0) rest_ = line.substr(static_cast<std::size_t>(sent));
  if (sent > 0) return true;
  pollfd ready{.fd = STDERR_FILENO, .events = POLLOUT, .revents = 0};
  if (poll(&ready, 1, 0) != 1 || (ready.revents & POLLOUT) == 0) return false;
  return ::write(STDERR_FILENO, line.data(), line.size()) == all;
}

namespace {

// A terminal with `stty tostop` would stop the training because we speak; a blocked TTOU lets the
// line through (tcsetattr(3), POSIX 11.1.4).
class TtouBlocked {
 public:
  TtouBlocked() {
    sigset_t ttou;
    sigemptyset(&ttou);
    sigaddset(&ttou, SIGTTOU);
    sigprocmask(SIG_BLOCK, &ttou, &before_);
  }
  TtouBlocked(const TtouBlocked&) = delete;
  ~TtouBlocked() { sigprocmask(SIG_SETMASK, &before_, nullptr); }

 private:
  sigset_t before_;
};

}  // namespace

void LogStream::write_line(std::string line) {
  line = one_line(std::move(line));
  const TtouBlocked blocked;
  if (way_ == Way::unknown) choose_way();
  line += '\n';
  if (dropped_ > 0) {
    const std::string lost = "preempt-wrap: " + std::to_string(dropped_) +
                             " lines were lost: stderr did not take them\n";
    if (!put(lost)) {
      ++dropped_;
      return;
    }
    dropped_ = 0;
  }
  if (!put(line)) ++dropped_;
}

bool LogStream::is_journal(const std::string& journal_stream) {
  if (journal_stream.empty()) return false;
  struct stat found {};
  return fstat(STDERR_FILENO, &found) == 0 &&
         journal_stream == std::to_string(found.st_dev) + ":" + std::to_string(found.st_ino);
}

void LogStream::close() {
  put_rest();
  if (writer_) writer_->close(kLastMoment);
  writer_.reset();
}

std::optional<ProcessId> LogStream::helper() const {
  return writer_ ? std::optional(writer_->id()) : std::nullopt;
}

}  // namespace pw
