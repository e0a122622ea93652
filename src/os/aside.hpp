#pragma once
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "core/process_tree.hpp"
#include "core/result.hpp"
#include "core/time.hpp"
#include "os/fd.hpp"

namespace pw {

/// Closes all descriptors but these two: nothing that others' pipes hang on may stay open in a
/// process of ours that may get stuck.
void keep_only_descriptors(int one, int other);

/// A process of our own for work that may hang in the kernel: what lies on a filesystem that does
/// not answer. We talk to it by messages over a socket and never block longer than we say. A thread
/// would not do: one that hangs in the kernel keeps the whole process from ending.
class Aside {
 public:
  /// What it does, with its end of the socket; it ends when that returns. Inherits our signal mask.
  using Work = std::function<void(int socket)>;

  /// `what` it is, for the error: "fork the PID file's keeper"; `keep`: a descriptor that it needs.
  static Result<Aside> start(const Work& work, const std::string& what, int keep = -1);

  Aside(Aside&& other) noexcept
      : socket_(std::move(other.socket_)), id_(std::exchange(other.id_, {})) {}
  Aside& operator=(Aside&&) = delete;
  ~Aside();  ///< ends it; what hangs in the kernel goes when the filesystem lets it

  /// Never blocks; false if it does not listen any more.
  bool send(std::string_view message);

  /// The next message, if there is one by `until`; over() tells whether more can come.
  std::optional<std::string> receive(Instant until);
  bool over() const { return !socket_; }

  /// No more from us: its receive_message() has nothing from then on; we still hear it.
  void say_no_more();

  /// After over(): it is ending, and leaves no zombie.
  void reap();

  int fd() const { return socket_.get(); }
  ProcessId id() const { return id_; }

 private:
  Aside(Fd socket, ProcessId id) : socket_(std::move(socket)), id_(id) {}
  Fd socket_;
  ProcessId id_;
};

/// For the work itself: waits for a message; nothing when we have gone.
std::optional<std::string> receive_message(int socket);
void send_message(int socket, std::string_view message);

}  // namespace pw
