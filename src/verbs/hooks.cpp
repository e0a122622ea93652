#include "verbs/hooks.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>

#include "config/environment.hpp"
#include "core/signal_name.hpp"
#include "core/text.hpp"
#include "os/clock.hpp"

namespace pw {
namespace {

constexpr Nanos kLimit = Seconds(30);
constexpr Nanos kBeforeDeadline = Millis(500);  // our own end needs a moment, too
constexpr Nanos kAtLeast = Millis(500);

Instant limit_for(const std::optional<Instant>& deadline) {
  const Instant now = monotonic_now();
  if (!deadline) return now + kLimit;
  return std::max(std::min(now + kLimit, *deadline - kBeforeDeadline), now + kAtLeast);
}

// In a sticky folder nobody can replace what is root's.
bool others_may_write(const std::string& path) {
  struct stat found {};
  if (stat(path.c_str(), &found) != 0) return false;
  const bool open = (found.st_mode & 022) != 0;
  const bool sticky = S_ISDIR(found.st_mode) && (found.st_mode & S_ISVTX) != 0;
  return found.st_uid != 0 || (open && !sticky);
}

// A hook of root's must not be somebody else's program, nor lie where another can take its place.
// Words that the shell looks up are the administrator's PATH.
bool others_may_change(std::string_view command) {
  if (geteuid() != 0) return false;
  command = trimmed(command);
  if (command.starts_with("exec ")) command = trimmed(command.substr(5));
  std::string path(command.substr(0, command.find_first_of(" \t\n;&|<>()")));
  if (path.find('/') == std::string::npos) return false;
  while (!others_may_write(path)) {
    const auto slash = path.find_last_of('/');
    if (slash == std::string::npos || slash == 0) return false;
    path.resize(slash);
  }
  return true;
}

}  // namespace

std::vector<std::string> Hooks::environment(const Notice& notice,
                                            std::optional<int> exit_status) const {
  auto environment = trainer_environment();
  if (!notice_file_.empty()) {
    environment.push_back(std::string(kNoticeFileVariable) + "=" + notice_file_);
  }
  if (notice.signal != 0) environment.push_back("PREEMPT_SIGNAL=" + signal_name(notice.signal));
  const bool without_signal = notice.deadline || notice.cause != "signal";
  if (notice.signal != 0 || without_signal) {
    environment.push_back("PREEMPT_CAUSE=" + std::string(notice.cause));
  }
  if (notice.deadline) {
    const timespec now = wall_now();
    const Nanos at =
        Seconds(now.tv_sec) + Nanos(now.tv_nsec) + (*notice.deadline - monotonic_now());
    const auto seconds = std::chrono::floor<Seconds>(at + Millis(1)).count();
    environment.push_back("PREEMPT_DEADLINE=" + std::to_string(seconds));
  }
  if (exit_status) environment.push_back("PREEMPT_EXIT_STATUS=" + std::to_string(*exit_status));
  return environment;
}

void Hooks::run(const std::string& name, const std::string& command, const Notice& notice,
                std::optional<int> exit_status) {
  if (command.empty()) return;
  if (others_may_change(command)) {
    return chronicle_.warn(name + " is not run: others than root may change " + command);
  }
  auto helper = Helper::start({"/bin/sh", "-c", command}, environment(notice, exit_status),
                              Helper::Output::to_stderr, limit_for(notice.deadline));
  if (helper) {
    running_.push_back({name, std::move(*helper)});
  } else {
    chronicle_.warn(name + ": " + helper.error().text());
  }
}

void Hooks::advance() {
  for (auto hook = running_.begin(); hook != running_.end();) {
    if (hook->helper.enforce_limit()) {
      chronicle_.warn(hook->name + " did not end in time and is killed");
    }
    const auto ending = hook->helper.reap();
    if (!ending) {
      ++hook;
      continue;
    }
    if (*ending != Ending{Ending::Kind::exited, 0} && !hook->helper.killed()) {
      const bool exited = ending->kind == Ending::Kind::exited;
      chronicle_.warn(hook->name + (exited ? " exited " + std::to_string(ending->number)
                                           : " died of " + signal_name(ending->number)));
    }
    hook = running_.erase(hook);
  }
}

std::optional<Instant> Hooks::next_limit() const {
  std::optional<Instant> next;
  for (const Running& hook : running_) next = earlier(next, hook.helper.wake());
  return next;
}

bool Hooks::all_given_up() const {
  return std::all_of(running_.begin(), running_.end(),
                     [](const Running& hook) { return hook.helper.given_up(); });
}

std::vector<ProcessId> Hooks::ids() const {
  std::vector<ProcessId> ids;
  for (const Running& hook : running_) ids.push_back(hook.helper.id());
  return ids;
}

bool Hooks::owns(int pid) const {
  for (const Running& hook : running_) {
    if (hook.helper.id().pid == pid) return true;
  }
  return false;
}

}  // namespace pw
