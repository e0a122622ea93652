#pragma once
#include <sys/types.h>

#include <optional>
#include <string>

#include "core/result.hpp"
#include "os/fd.hpp"

namespace pw {

/// The socket that the trainer's sd_notify() writes to: AF_UNIX datagrams to a file in a folder of
/// our own that nobody else can enter. Never blocks, and takes no descriptor from anybody.
class NotifySocket {
 public:
  /// In /tmp, else XDG_RUNTIME_DIR, /run/user/UID, TMPDIR: where the trainer finds it, too.
  static Result<NotifySocket> open();

  int fd() const { return fd_.get(); }
  const std::string& path() const { return path_; }

  struct Datagram {
    enum class Kind {
      message,
      foreign,   ///< not from our own uid nor from root: `text` is empty
      too_long,  ///< longer than kNotifyLongest: `text` is empty
    };
    Kind kind = Kind::message;
    std::string text;
    pid_t sender = 0;
    uid_t uid = 0;
  };
  /// The next one; nothing if there is none. A descriptor that came with it is closed: for
  /// sd_notify_barrier(3) that is the answer.
  std::optional<Datagram> receive() const;

  /// Closes it and removes file and folder; nobody can write to it any more.
  void remove();

 private:
  NotifySocket(Fd fd, std::string path) : fd_(std::move(fd)), path_(std::move(path)) {}
  static Result<NotifySocket> open_in(const std::string& folder);
  Fd fd_;
  std::string path_;
};

/// The other end: the socket that the service manager above us has named in NOTIFY_SOCKET.
class NotifyUpwards {
 public:
  /// `address` is a path, or "@" and an abstract name; nothing for another kind (vsock).
  static std::optional<NotifyUpwards> to(const std::string& address);

  enum class Sent { yes, not_now, never };
  /// Never blocks: not_now says that the queue above is full. errno has the reason of never.
  Sent send(const std::string& text) const;

 private:
  NotifyUpwards(Fd fd, std::string address) : fd_(std::move(fd)), address_(std::move(address)) {}
  Fd fd_;
  std::string address_;
};

}  // namespace pw
