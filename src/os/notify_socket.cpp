#include "os/notify_socket.hpp"

#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <cstddef>
#include <cstring>
#include <vector>

#include "core/notify_message.hpp"
#include "os/os_error.hpp"

namespace pw {
namespace {

struct Address {
  sockaddr_un address{};
  socklen_t size = 0;
};

// A path, or "@name" in the abstract namespace; nothing if it is too long (107 bytes) or neither.
std::optional<Address> address_of(const std::string& text) {
  Address result;
  const bool known = text.size() > 1 && (text[0] == '/' || text[0] == '@');
  if (!known || text.size() >= sizeof result.address.sun_path) return {};
  result.address.sun_family = AF_UNIX;
  std::memcpy(result.address.sun_path, text.data(), text.size());
  if (text[0] == '@') result.address.sun_path[0] = '\0';
  // A path ends with a NUL, an abstract name with its size.
  const std::size_t end = text[0] == '@' ? 0 : 1;
  result.size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + text.size() + end);
  return result;
}

// A container of apptainer has the machine's /tmp, but not /run, and logind removes /run/user/UID
// when a user's last login ends, while jobs of theirs still run. PrivateTmp= and Slurm's job
// containers give the same /tmp to the trainer as to us.
std::vector<std::string> places() {
  std::vector<std::string> found{"/tmp"};
  const auto add = [&found](const char* folder) {
    if (folder != nullptr && folder[0] == '/') found.emplace_back(folder);
  };
  add(getenv("XDG_RUNTIME_DIR"));
  found.push_back("/run/user/" + std::to_string(getuid()));
  add(getenv("TMPDIR"));
  return found;
}

}  // namespace

Result<NotifySocket> NotifySocket::open() {
  std::optional<Error> first;
  for (const std::string& place : places()) {
    auto socket = open_in(place);
    if (socket) return socket;
    if (!first) first = socket.error();
  }
  return *first;
}

Result<NotifySocket> NotifySocket::open_in(const std::string& place) {
  std::string folder = place + "/preempt-wrap.XXXXXX";
  const auto address_size = folder.size() + std::strlen("/notify");
  if (address_size >= sizeof(sockaddr_un::sun_path)) return os_error(place, ENAMETOOLONG);
  if (mkdtemp(folder.data()) == nullptr) return os_error("make a folder in " + place);
  NotifySocket result(Fd(socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)),
                      folder + "/notify");
  const auto address = address_of(result.path_);
  const int on = 1;
  const bool done =
      result.fd_ && setsockopt(result.fd(), SOL_SOCKET, SO_PASSCRED, &on, sizeof on) == 0 &&
      bind(result.fd(), reinterpret_cast<const sockaddr*>(&address->address), address->size) == 0;
  if (done) return result;
  const Error error = os_error("make the socket " + result.path_);
  result.remove();
  return error;
}

// There is room for the credentials only, which come first. Descriptors that find none are never
// given to us, the kernel drops them (MSG_CTRUNC): thousands of them cost us not one.
std::optional<NotifySocket::Datagram> NotifySocket::receive() const {
  std::array<char, kNotifyLongest> text;
  alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(ucred))> control;
  iovec part{.iov_base = text.data(), .iov_len = text.size()};
  msghdr message{};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  message.msg_control = control.data();
  message.msg_controllen = control.size();
  const ssize_t size = recvmsg(fd(), &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
  if (size < 0) return {};
  Datagram datagram{.kind = Datagram::Kind::foreign};
  const cmsghdr* header = CMSG_FIRSTHDR(&message);
  if (header == nullptr || header->cmsg_type != SCM_CREDENTIALS) return datagram;
  ucred sender{};
  std::memcpy(&sender, CMSG_DATA(header), sizeof sender);
  datagram.sender = sender.pid;
  datagram.uid = sender.uid;
  if (sender.uid != 0 && sender.uid != getuid()) return datagram;
  datagram.kind = Datagram::Kind::too_long;
  if ((message.msg_flags & MSG_TRUNC) != 0) return datagram;
  datagram.kind = Datagram::Kind::message;
  datagram.text.assign(text.data(), static_cast<std::size_t>(size));
  return datagram;
}

void NotifySocket::remove() {
  fd_.reset();
  unlink(path_.c_str());
  rmdir(path_.substr(0, path_.rfind('/')).c_str());
}

std::optional<NotifyUpwards> NotifyUpwards::to(const std::string& address) {
  if (!address_of(address)) return {};
  Fd fd(socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!fd) return {};
  return NotifyUpwards(std::move(fd), address);
}

NotifyUpwards::Sent NotifyUpwards::send(const std::string& text) const {
  const auto target = address_of(address_);
  const ssize_t sent = sendto(fd_.get(), text.data(), text.size(), MSG_DONTWAIT | MSG_NOSIGNAL,
                              reinterpret_cast<const sockaddr*>(&target->address), target->size);
  if (sent >= 0) return Sent::yes;
  return errno == EAGAIN || errno == ENOBUFS ? Sent::not_now : Sent::never;
}

}  // namespace pw
