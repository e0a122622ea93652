#include "os/helper.hpp"

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>

#include "os/clock.hpp"
#include "os/os_error.hpp"
#include "os/process_table.hpp"

namespace pw {
namespace {

constexpr std::size_t kOutputMax = 1024 * 1024;
constexpr Nanos kToDie = Seconds(2);

// What Slurm or a terminal sends to the whole job must not end the helper that serves it.
constexpr SignalSet kDeafTo{SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGUSR1, SIGUSR2};

}  // namespace

Result<Helper> Helper::start(std::vector<std::string> command, std::vector<std::string> environment,
                             Output output, Instant limit) {
  Launch plan;
  plan.command = std::move(command);
  plan.environment = std::move(environment);
  sigemptyset(&plan.mask);
  plan.ignores = kDeafTo;
  plan.parent_death = SIGKILL;
  const Fd nothing(::open("/dev/null", O_RDONLY | O_CLOEXEC));
  plan.stdin_fd = nothing.get();
  Fd read_end;
  Fd write_end;
  int ends[2];
  if (output == Output::captured) {
    if (pipe2(ends, O_CLOEXEC) != 0) return os_error("pipe");
    read_end = Fd(ends[0]);
    write_end = Fd(ends[1]);
    // Our end alone: who writes must not lose what does not fit.
    if (fcntl(read_end.get(), F_SETFL, O_NONBLOCK) != 0) return os_error("set a pipe non-blocking");
    plan.stdout_fd = write_end.get();
  }
  if (output == Output::to_stderr) plan.stdout_fd = STDERR_FILENO;
  const auto pid = launch(plan);
  if (!pid) return os_error("run " + plan.command[0], pid.error().error);
  const auto entry = read_process(*pid);
  return Helper(Child(*pid), entry ? entry->id : ProcessId{*pid, 0}, std::move(read_end), limit);
}

void Helper::read_output() {
  std::array<char, 16 * 1024> chunk;
  for (;;) {
    const ssize_t size = read(output_.get(), chunk.data(), chunk.size());
    if (size < 0 && errno == EAGAIN) return;
    if (size <= 0) return output_.reset();
    text_.append(chunk.data(), static_cast<std::size_t>(size));
    // One that never stops writing would keep us here for ever.
    if (text_.size() >= kOutputMax) return output_.reset();
  }
}

bool Helper::enforce_limit() {
  const Instant now = monotonic_now();
  if (killed_at_ || now < limit_) return false;
  kill();
  killed_at_ = now;
  return true;
}

bool Helper::given_up() const { return killed_at_ && monotonic_now() >= *killed_at_ + kToDie; }

std::optional<Instant> Helper::wake() const {
  if (!killed_at_) return limit_;
  return given_up() ? std::nullopt : std::optional(*killed_at_ + kToDie);
}

void Helper::kill() {
  // Not reaped yet, so the group's number is still its own.
  if (!child_.reaped()) ::kill(-child_.pid(), SIGKILL);
}

// Its group ends with it: while it is not reaped, the group's number is its own.
std::optional<Ending> Helper::reap() {
  siginfo_t ended{};
  const auto id = static_cast<id_t>(child_.pid());
  if (!child_.reaped() && waitid(P_PID, id, &ended, WEXITED | WNOHANG | WNOWAIT) == 0 &&
      ended.si_pid == child_.pid()) {
    kill();
  }
  const auto ending = child_.reap();
  if (ending && output_) read_output();
  return ending;
}

}  // namespace pw
