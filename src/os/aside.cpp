#include "os/aside.hpp"

#include <poll.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <climits>

#include "os/clock.hpp"
#include "os/os_error.hpp"
#include "os/process_table.hpp"

namespace pw {
namespace {

constexpr std::size_t kMessageMax = 8 * 1024;

std::optional<std::string> received(int socket, int flags) {
  std::array<char, kMessageMax> text{};
  const ssize_t size = recv(socket, text.data(), text.size(), flags);
  if (size <= 0) return {};
  return std::string(text.data(), static_cast<std::size_t>(size));
}

// SYS_close_range came with Linux 5.9.
bool close_range(int first, int last) {
  return first > last || syscall(SYS_close_range, first, last, 0) == 0;
}

}  // namespace

void keep_only_descriptors(int one, int other) {
  const auto [low, high] = std::minmax(one, other);
  // -1 is none.
  if (close_range(high + 1, INT_MAX) && close_range(low + 1, high - 1) && close_range(0, low - 1)) {
    return;
  }
  long last = sysconf(_SC_OPEN_MAX);
  if (last < 0 || last > 65536) last = 65536;
  for (int fd = 0; fd < last; ++fd) {
    if (fd != one && fd != other) ::close(fd);
  }
}

Result<Aside> Aside::start(const Work& work, const std::string& what, int keep) {
  int ends[2];
  // Sequenced packets keep the messages apart; our end is the other's end of file.
  if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0) {
    return os_error("socketpair");
  }
  Fd ours(ends[0]);
  Fd theirs(ends[1]);
  const pid_t pid = fork();
  if (pid < 0) return os_error(what);
  if (pid == 0) {
    keep_only_descriptors(theirs.get(), keep);
    work(theirs.get());
    _exit(0);
  }
  const auto entry = read_process(pid);
  return Aside(std::move(ours), entry ? entry->id : ProcessId{pid, 0});
}

Aside::~Aside() {
  if (id_.pid == 0) return;
  socket_.reset();
  if (waitpid(id_.pid, nullptr, WNOHANG) != 0) return;
  kill(id_.pid, SIGKILL);
  waitpid(id_.pid, nullptr, WNOHANG);
}

bool Aside::send(std::string_view message) {
  return ::send(socket_.get(), message.data(), message.size(), MSG_DONTWAIT | MSG_NOSIGNAL) ==
         static_cast<ssize_t>(message.size());
}

void Aside::say_no_more() { shutdown(socket_.get(), SHUT_WR); }

void Aside::reap() { waitpid(id_.pid, nullptr, 0); }

std::optional<std::string> Aside::receive(Instant until) {
  if (!socket_) return {};
  pollfd polled{.fd = socket_.get(), .events = POLLIN, .revents = 0};
  const auto timeout = timeout_until(until);
  if (ppoll(&polled, 1, &*timeout, nullptr) <= 0) return {};
  auto message = received(socket_.get(), MSG_DONTWAIT);
  if (!message) socket_.reset();
  return message;
}

std::optional<std::string> receive_message(int socket) { return received(socket, 0); }

void send_message(int socket, std::string_view message) {
  ::send(socket, message.data(), message.size(), MSG_NOSIGNAL);
}

}  // namespace pw
