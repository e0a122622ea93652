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

#include "os/os_error.hpp"
#include "os/process_signal.hpp"
#include "os/process_table.hpp"

namespace pw {
namespace {

constexpr std::size_t kLineMax = 64 * 1024;
constexpr int kBuffer = 1024 * 1024;

void say(const std::string& text) {
  [[maybe_unused]] const ssize_t written = ::write(STDERR_FILENO, text.data(), text.size());
}

// Nothing that the trainer's pipes hang on may stay open here: a stuck writer must not keep them.
void keep_only(int lines, int target) {
  std::array<int, 4> kept{STDERR_FILENO, lines, target, -1};
  long last = sysconf(_SC_OPEN_MAX);
  if (last < 0 || last > 65536) last = 65536;
  for (int fd = 0; fd < last; ++fd) {
    bool keep = false;
    for (const int one : kept) keep = keep || fd == one;
    if (!keep) ::close(fd);
  }
}

[[noreturn]] void write_lines(int lines, const std::string& path, int fd) {
  keep_only(lines, fd);
  if (!path.empty()) {
    fd = ::open(path.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY | O_NONBLOCK,
                0644);
    if (fd < 0) {
      say("preempt-wrap: warning: no journal: open " + path + ": " + std::strerror(errno) + "\n");
      _exit(1);
    }
    ::close(STDERR_FILENO);
  }
  static std::array<char, kLineMax> line;
  for (;;) {
    const ssize_t size = recv(lines, line.data(), line.size(), 0);
    if (size <= 0) _exit(0);
    // One write for one line, else two processes' lines mix; a line that does not fit is lost.
    [[maybe_unused]] const ssize_t written =
        ::write(fd, line.data(), static_cast<std::size_t>(size));
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
  return send(lines_.get(), line.data(), line.size(), MSG_DONTWAIT | MSG_NOSIGNAL) ==
         static_cast<ssize_t>(line.size());
}

void Writer::close(int millis) {
  lines_.reset();
  const Fd pidfd(open_pidfd(id_.pid));
  pollfd ended{.fd = pidfd.get(), .events = POLLIN, .revents = 0};
  if (pidfd) poll(&ended, 1, millis);
  // What hangs in the kernel goes when the filesystem lets it; we do not wait for that.
  if (waitpid(id_.pid, nullptr, WNOHANG) == 0) kill(id_.pid, SIGKILL);
}

}  // namespace pw
