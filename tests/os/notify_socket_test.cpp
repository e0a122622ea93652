#include "os/notify_socket.hpp"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstring>
#include <filesystem>
#include <vector>

#include "core/notify_message.hpp"

using namespace pw;
using Kind = NotifySocket::Datagram::Kind;

namespace {

// A socket for one test; its folder goes with it.
struct Open {
  NotifySocket socket = std::move(*NotifySocket::open());
  ~Open() { socket.remove(); }
};

Fd connected_to(const std::string& path) {
  sockaddr_un address{.sun_family = AF_UNIX, .sun_path = {}};
  std::memcpy(address.sun_path, path.c_str(), path.size() + 1);
  Fd fd(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  REQUIRE(connect(fd.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) == 0);
  return fd;
}

void say(const Fd& fd, const std::string& text) {
  REQUIRE(send(fd.get(), text.data(), text.size(), 0) == static_cast<ssize_t>(text.size()));
}

void say_with_fds(const Fd& fd, const std::string& text, const std::vector<int>& fds) {
  std::vector<char> control(CMSG_SPACE(fds.size() * sizeof(int)));
  iovec part{.iov_base = const_cast<char*>(text.data()), .iov_len = text.size()};
  msghdr message{};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  message.msg_control = control.data();
  message.msg_controllen = control.size();
  cmsghdr* header = CMSG_FIRSTHDR(&message);
  header->cmsg_level = SOL_SOCKET;
  header->cmsg_type = SCM_RIGHTS;
  header->cmsg_len = CMSG_LEN(fds.size() * sizeof(int));
  std::memcpy(CMSG_DATA(header), fds.data(), fds.size() * sizeof(int));
  REQUIRE(sendmsg(fd.get(), &message, 0) >= 0);
}

std::size_t open_descriptors() {
  const std::filesystem::directory_iterator all("/proc/self/fd");
  return static_cast<std::size_t>(std::distance(begin(all), end(all)));
}

}  // namespace

TEST_CASE("what is said is heard, with who said it, one by one") {
  const Open open;
  CHECK_FALSE(open.socket.receive());
  const Fd client = connected_to(open.socket.path());
  say(client, "READY=1");
  say(client, "");
  say(client, std::string("a\0b", 3));
  const auto first = open.socket.receive();
  REQUIRE(first);
  CHECK(first->kind == Kind::message);
  CHECK(first->text == "READY=1");
  CHECK(first->sender == getpid());
  CHECK(first->uid == getuid());
  CHECK(open.socket.receive()->text == "");
  CHECK(open.socket.receive()->text == std::string("a\0b", 3));
  CHECK_FALSE(open.socket.receive());
}

TEST_CASE("nobody else can enter the folder, and nothing stays") {
  auto socket = NotifySocket::open();
  REQUIRE(socket.has_value());
  const std::filesystem::path folder = std::filesystem::path(socket->path()).parent_path();
  struct stat found {};
  REQUIRE(stat(folder.c_str(), &found) == 0);
  CHECK((found.st_mode & 0777) == 0700);
  CHECK((fcntl(socket->fd(), F_GETFD) & FD_CLOEXEC) != 0);
  socket->remove();
  CHECK_FALSE(std::filesystem::exists(folder));
}

TEST_CASE("what is too long is dropped whole, and what follows is heard") {
  const Open open;
  const Fd client = connected_to(open.socket.path());
  const int much = 4 << 20;
  setsockopt(client.get(), SOL_SOCKET, SO_SNDBUFFORCE, &much, sizeof much);
  say(client, std::string(kNotifyLongest, 'x'));
  say(client, std::string(kNotifyLongest + 1, 'x'));
  say(client, std::string(getuid() == 0 ? 1 << 20 : 100'000, 'x'));
  say(client, "READY=1");
  CHECK(open.socket.receive()->text.size() == kNotifyLongest);
  CHECK(open.socket.receive()->kind == Kind::too_long);
  CHECK(open.socket.receive()->kind == Kind::too_long);
  CHECK(open.socket.receive()->text == "READY=1");
}

TEST_CASE("descriptors that come with a message are closed, one or many") {
  const Open open;
  const Fd client = connected_to(open.socket.path());
  const std::size_t before = open_descriptors();
  for (const std::size_t count : {1, 253}) {
    int ends[2];
    REQUIRE(pipe2(ends, O_CLOEXEC) == 0);
    const Fd ours(ends[0]);
    Fd theirs(ends[1]);
    say_with_fds(client, "BARRIER=1", std::vector<int>(count, theirs.get()));
    theirs.reset();
    pollfd hung_up{.fd = ours.get(), .events = POLLIN, .revents = 0};
    CHECK(poll(&hung_up, 1, 0) == 0);  // it is in the queue
    CHECK(open.socket.receive()->kind == Kind::message);
    CHECK(poll(&hung_up, 1, 0) == 1);
  }
  CHECK(open_descriptors() == before);
}

TEST_CASE("other users are not heard, even with a connection that we made for them") {
  if (getuid() != 0) return;
  const Open open;
  const Fd client = connected_to(open.socket.path());
  const pid_t other = fork();
  if (other == 0) {
    _exit(setuid(65534) == 0 && send(client.get(), "READY=1", 7, 0) == 7 ? 0 : 1);
  }
  int status = -1;
  REQUIRE(waitpid(other, &status, 0) == other);
  REQUIRE(status == 0);
  const auto heard = open.socket.receive();
  REQUIRE(heard);
  CHECK(heard->kind == Kind::foreign);
  CHECK(heard->uid == 65534);
  CHECK(heard->text == "");
}

TEST_CASE("upwards: what can be reached, what is full, what is gone") {
  CHECK_FALSE(NotifyUpwards::to(""));
  CHECK_FALSE(NotifyUpwards::to("/"));
  CHECK_FALSE(NotifyUpwards::to("vsock:2:1234"));
  CHECK_FALSE(NotifyUpwards::to("/" + std::string(107, 'x')));
  CHECK(NotifyUpwards::to("/" + std::string(106, 'x')));
  auto above = NotifySocket::open();
  REQUIRE(above.has_value());
  const auto upwards = NotifyUpwards::to(above->path());
  REQUIRE(upwards);
  auto sent = NotifyUpwards::Sent::yes;
  for (int i = 0; i < 100'000 && sent == NotifyUpwards::Sent::yes; ++i) sent = upwards->send("A=1");
  CHECK(sent == NotifyUpwards::Sent::not_now);
  CHECK(above->receive()->text == "A=1");
  CHECK(upwards->send("B=1") == NotifyUpwards::Sent::yes);
  above->remove();
  CHECK(upwards->send("C=1") == NotifyUpwards::Sent::never);
}

TEST_CASE("upwards: an abstract address") {
  const std::string name = "@pw-notify-test." + std::to_string(getpid());
  sockaddr_un address{.sun_family = AF_UNIX, .sun_path = {}};
  std::memcpy(address.sun_path + 1, name.data() + 1, name.size() - 1);
  const Fd above(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  const auto size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + name.size());
  REQUIRE(bind(above.get(), reinterpret_cast<sockaddr*>(&address), size) == 0);
  CHECK(NotifyUpwards::to(name)->send("READY=1") == NotifyUpwards::Sent::yes);
  char text[16];
  CHECK(recv(above.get(), text, sizeof text, MSG_DONTWAIT) == 7);
}
