#include "verbs/hooks.hpp"

#include "config/environment.hpp"
#include "core/signal_name.hpp"
#include "os/clock.hpp"

namespace pw {
namespace {

constexpr Nanos kLimit = Seconds(30);

std::vector<std::string> hook_environment(const Hooks::Notice& notice,
                                          std::optional<int> exit_status) {
  auto environment = trainer_environment();
  if (notice.signal != 0) {
    environment.push_back("PREEMPT_SIGNAL=" + signal_name(notice.signal));
    environment.emplace_back("PREEMPT_CAUSE=signal");
  }
  if (notice.deadline) {
    const Nanos left = *notice.deadline - monotonic_now();
    const auto seconds = std::chrono::duration_cast<Seconds>(left).count();
    environment.push_back("PREEMPT_DEADLINE=" + std::to_string(wall_now().tv_sec + seconds));
  }
  if (exit_status) environment.push_back("PREEMPT_EXIT_STATUS=" + std::to_string(*exit_status));
  return environment;
}

}  // namespace

void Hooks::run(const std::string& name, const std::string& command, const Notice& notice,
                std::optional<int> exit_status) {
  if (command.empty()) return;
  auto helper = Helper::start({"/bin/sh", "-c", command}, hook_environment(notice, exit_status),
                              Helper::Output::to_stderr, monotonic_now() + kLimit);
  if (helper) {
    running_.push_back({name, std::move(*helper)});
  } else {
    chronicle_.warn(name + ": " + helper.error().text());
  }
}

void Hooks::advance() {
  for (auto hook = running_.begin(); hook != running_.end();) {
    if (!hook->killed && monotonic_now() >= hook->helper.limit()) {
      chronicle_.warn(hook->name + " did not end in 30 s and is killed");
      hook->helper.kill();
      hook->killed = true;
    }
    const auto ending = hook->helper.reap();
    if (!ending) {
      ++hook;
      continue;
    }
    if (*ending != Ending{Ending::Kind::exited, 0} && !hook->killed) {
      const bool exited = ending->kind == Ending::Kind::exited;
      chronicle_.warn(hook->name + (exited ? " exited " + std::to_string(ending->number)
                                           : " died of " + signal_name(ending->number)));
    }
    hook = running_.erase(hook);
  }
}

std::optional<Instant> Hooks::next_limit() const {
  std::optional<Instant> next;
  for (const Running& hook : running_) {
    if (!hook.killed && (!next || hook.helper.limit() < *next)) next = hook.helper.limit();
  }
  return next;
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
