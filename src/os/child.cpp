#include "os/child.hpp"

// Boost 1.81: v2 does not compile with std::filesystem unless these two come first.
#include <boost/optional.hpp>
#include <boost/type_traits.hpp>
//
#include <boost/asio/io_context.hpp>
#include <boost/process/v2/process.hpp>

#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>

#include "os/process_signal.hpp"

namespace pw {

namespace process_v2 = boost::process::v2;

struct Child::Handle {
  Handle(pid_t pid, int opened) : pidfd(opened), process(io.get_executor(), pid, opened) {}
  // ~process would SIGKILL a running training.
  ~Handle() { process.detach(); }

  int pidfd;  // owned by `process`; 1.81 cannot give it back (native_handle() does not compile)
  boost::asio::io_context io;
  process_v2::process process;
};

namespace {

Ending decode(int status) {
  if (WIFSIGNALED(status)) return {Ending::Kind::signalled, WTERMSIG(status)};
  return {Ending::Kind::exited, WEXITSTATUS(status)};
}

}  // namespace

Child::Child(pid_t pid) : pid_(pid) {
  const int pidfd = open_pidfd(pid);
  if (pidfd < 0) return;
  try {
    handle_ = std::make_unique<Handle>(pid, pidfd);
  } catch (const std::exception&) {
    close(pidfd);  // no descriptors left for Asio: waitpid does without
  }
}

Child::Child(Child&&) noexcept = default;
Child& Child::operator=(Child&&) noexcept = default;
Child::~Child() = default;

std::optional<Ending> Child::reap() {
  if (ending_) return ending_;
  if (handle_) {
    process_v2::error_code error;
    if (handle_->process.running(error) && !error) return {};
    // Nobody else reaps our child; should it happen all the same, we must end, not spin.
    if (error) return ending_ = Ending{Ending::Kind::exited, kOwnFailure};
    ending_ = decode(handle_->process.native_exit_code());
    return ending_;
  }
  int status = 0;
  if (waitpid(pid_, &status, WNOHANG) == pid_) ending_ = decode(status);
  return ending_;
}

int Child::send(Signal signal, const Payload& payload) {
  if (ending_) return ESRCH;
  if (handle_) return send_by_pidfd(handle_->pidfd, signal, payload);
  return send_by_pid(pid_, signal, payload);
}

}  // namespace pw
