#include "os/pid_target.hpp"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <ctime>

#include "os/os_error.hpp"
#include "os/pid_file_reading.hpp"
#include "os/process_signal.hpp"
#include "os/process_table.hpp"
#include "os/signal_state.hpp"

namespace pw {
namespace {

Nanos now_by(clockid_t clock) {
  timespec now{};
  clock_gettime(clock, &now);
  return Seconds(now.tv_sec) + Nanos(now.tv_nsec);
}

// Field 22 of stat counts from boot, time asleep included, as CLOCK_BOOTTIME does.
Nanos started_by_wall(std::uint64_t ticks) {
  const std::uint64_t nanos =
      ticks * (1'000'000'000U / static_cast<unsigned>(sysconf(_SC_CLK_TCK)));
  return now_by(CLOCK_REALTIME) - (now_by(CLOCK_BOOTTIME) - Nanos(nanos));
}

std::string read_text(const std::string& path) {
  const Fd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  std::array<char, 8192> text{};
  const ssize_t size = file ? read(file.get(), text.data(), text.size()) : 0;
  return {text.data(), static_cast<std::size_t>(size > 0 ? size : 0)};
}

// The value of a line of /proc/PID/status, or "".
std::string field(const std::string& status, const std::string& name) {
  const auto at = status.find("\n" + name + ":\t");
  if (at == std::string::npos) return "";
  const auto begin = at + name.size() + 3;
  return status.substr(begin, status.find('\n', begin) - begin);
}

bool has_ended(int pidfd) {
  pollfd polled{.fd = pidfd, .events = POLLIN, .revents = 0};
  return poll(&polled, 1, 0) > 0;
}

Error gone(const PidFileFacts& file) {
  return os_error(file.path + ": process " + std::to_string(file.pid), ESRCH);
}

}  // namespace

Asker asker_here(HostRule host_rule) {
  std::array<char, 256> host{};
  gethostname(host.data(), host.size() - 1);
  return {
      .pid = getpid(), .host = host.data(), .now = now_by(CLOCK_REALTIME), .host_rule = host_rule};
}

std::optional<ProcessFacts> process_facts(const ProcessId& process) {
  const std::string status = read_text("/proc/" + std::to_string(process.pid) + "/status");
  ProcessFacts facts;
  facts.leader = std::atoi(field(status, "Tgid").c_str());
  if (std::sscanf(field(status, "Uid").c_str(), "%ld %ld", &facts.users[0], &facts.users[1]) != 2) {
    return {};
  }
  facts.started = started_by_wall(process.start);
  return facts;
}

Result<PidTarget> PidTarget::prove(const PidFileFacts& file, const Asker& asker) {
  if (const auto why = why_file_refused(file, asker)) return Error{file.path + " " + *why, {}};
  if (!proc_is_ours()) {
    return Error{file.path + " cannot be judged: /proc does not show the processes that we see",
                 {}};
  }
  Fd pidfd(open_pidfd(file.pid));
  const auto entry = read_process(file.pid);
  const auto facts = entry ? process_facts(entry->id) : std::nullopt;
  if (!entry || !facts) {
    // A /proc with hidepid hides it: then nobody can say whose it is.
    if (kill(file.pid, 0) != 0 && errno == ESRCH) return gone(file);
    return Error{
        file.path + " names process " + std::to_string(file.pid) + ", of which /proc shows nothing",
        {}};
  }
  if (const auto why = why_process_refused(file, *facts)) return Error{file.path + " " + *why, {}};
  if (!entry->alive() || (pidfd && has_ended(pidfd.get()))) return gone(file);
  return PidTarget(entry->id, entry->name, std::move(pidfd));
}

Result<ProcessId> read_target_pid_file(const std::string& path, HostRule host_rule, Instant limit) {
  PW_TRY(PidFileReading reading, PidFileReading::of_file(path));
  const auto file = reading.next(limit);
  if (!file) return Error{path + " does not answer", {}};
  if (!*file) return file->error();
  PW_TRY(const PidTarget target, PidTarget::prove(**file, asker_here(host_rule)));
  return target.id();
}

bool PidTarget::alive() const {
  if (pidfd_) return !has_ended(pidfd_.get());
  const auto entry = read_process(id_.pid);
  return entry && entry->id == id_ && entry->alive();
}

bool PidTarget::stopped() const {
  const auto entry = read_process(id_.pid);
  return entry && entry->id == id_ && entry->stopped();
}

Handling PidTarget::handling(Signal signal) const {
  const auto state = read_signal_state(id_.pid, signal);
  return state ? handling_of(*state, signal, {}) : Handling::deadly;
}

int PidTarget::send(Signal signal, const Payload& payload) const {
  if (pidfd_) return send_by_pidfd(pidfd_.get(), signal, payload);
  return send_to_process(id_, signal, payload);
}

}  // namespace pw
