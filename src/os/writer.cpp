#include "os/writer.hpp"

#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <utility>

#include "os/clock.hpp"

namespace pw {
namespace {

constexpr std::size_t kLineMax = 64 * 1024;
constexpr int kBuffer = 1024 * 1024;

void tell(int lines, const std::string& what) {
  const std::string trouble = what + ": " + std::strerror(errno);
  send(lines, trouble.data(), trouble.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
}

void write_lines(int lines, const std::string& path, int fd) {
  if (!path.empty()) {
    constexpr int kHow = O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY | O_NONBLOCK;
    fd = ::open(path.c_str(), kHow, 0644);
    if (fd < 0) tell(lines, "open " + path);
  }
  static std::array<char, kLineMax> line;
  bool told = fd < 0;
  bool torn = false;  // a line of ours was cut off: the next one must not continue it
  for (;;) {
    const ssize_t size = recv(lines, line.data(), line.size(), 0);
    if (size <= 0) return;
    // One write for one line, else two processes' lines mix; a line that does not fit is lost.
    if (torn && ::write(fd, "\n", 1) == 1) torn = false;
    errno = ENOSPC;  // what a short write means
    const ssize_t written = fd < 0 ? -1 : ::write(fd, line.data(), static_cast<std::size_t>(size));
    if (written == size) continue;
    torn = torn || written > 0;
    if (!std::exchange(told, true)) tell(lines, "write " + path);
  }
}

}  // namespace

Result<Writer> Writer::to_path(const std::string& path) { return start(path, -1); }
Result<Writer> Writer::to_fd(int fd) { return start("", fd); }

Result<Writer> Writer::start(const std::string& path, int fd) {
  PW_TRY(Aside aside, Aside::start([&](int lines) { write_lines(lines, path, fd); },
                                   "fork the journal's writer", fd));
  setsockopt(aside.fd(), SOL_SOCKET, SO_SNDBUF, &kBuffer, sizeof kBuffer);
  return Writer(std::move(aside));
}

bool Writer::write_line(std::string_view line) {
  return line.size() <= kLineMax && aside_.send(line);
}

std::optional<std::string> Writer::trouble() {
  if (last_trouble_) return std::exchange(last_trouble_, {});
  return aside_.receive(Instant{});
}

void Writer::close(int millis) {
  aside_.say_no_more();
  const Instant limit = monotonic_now() + Millis(millis);
  while (!aside_.over() && monotonic_now() < limit) {
    if (auto said = aside_.receive(limit)) last_trouble_ = std::move(said);
  }
}

}  // namespace pw
