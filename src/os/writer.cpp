#include "os/writer.hpp"

#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>

#include "os/aside.hpp"
#include "os/os_error.hpp"
#include "os/process_signal.hpp"
#include "os/process_table.hpp"

namespace pw {
namespace {

constexpr std::size_t kLineMax = 64 * 1024;
constexpr int kBuffer = 1024 * 1024;

void tell(int lines, const std::string& what) {
  const std::string trouble = what + ": " + std::strerror(errno);
  send(lines, trouble.data(), trouble.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
}

[[noreturn]] void write_lines(int lines, const std::string& path, int fd) {
  keep_only_descriptors(lines, fd);
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
    if (size <= 0) _exit(0);
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
  int ends[2];
  // Sequenced packets keep the lines apart; the end of ours is the writer's end of file.
  if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0) {
    return os_error("socketpair");
  }
  Fd ours(ends[0]);
  Fd theirs(ends[1]);
  setsockopt(ours.get(), SOL_SOCKET, SO_SNDBUF, &kBuffer, sizeof kBuffer);
  const pid_t pid = fork();
  if (pid < 0) return os_error("fork the journal's writer");
  if (pid == 0) {
    ours.reset();
    write_lines(theirs.get(), path, fd);
  }
  const auto entry = read_process(pid);
  return Writer(std::move(ours), entry ? entry->id : ProcessId{pid, 0});
}

bool Writer::write_line(std::string_view line) {
  if (line.size() > kLineMax) return false;
  return send(lines_.get(), line.data(), line.size(), MSG_DONTWAIT | MSG_NOSIGNAL) ==
         static_cast<ssize_t>(line.size());
}

std::optional<std::string> Writer::trouble() {
  std::array<char, 1024> text{};
  const ssize_t size = recv(lines_.get(), text.data(), text.size(), MSG_DONTWAIT);
  if (size == 0) lines_.reset();  // it has ended
  if (size <= 0) return {};
  return std::string(text.data(), static_cast<std::size_t>(size));
}

void Writer::close(int millis) {
  // The end for the writer, while we still hear what it has to tell.
  shutdown(lines_.get(), SHUT_WR);
  const Fd pidfd(open_pidfd(id_.pid));
  pollfd ended{.fd = pidfd.get(), .events = POLLIN, .revents = 0};
  if (pidfd) poll(&ended, 1, millis);
  // What hangs in the kernel goes when the filesystem lets it; we do not wait for that.
  if (waitpid(id_.pid, nullptr, WNOHANG) == 0) kill(id_.pid, SIGKILL);
}

}  // namespace pw
