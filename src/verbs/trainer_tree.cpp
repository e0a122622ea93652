#include "verbs/trainer_tree.hpp"

#include <sched.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "core/duration.hpp"
#include "core/srun_rule.hpp"
#include "core/transparent.hpp"
#include "os/process_table.hpp"
#include "os/reaper.hpp"
#include "os/signal_state.hpp"

namespace pw {
namespace {

// A tree that forks while it is signalled is looked at again, but not for ever.
constexpr int kLooksMax = 5;

constexpr std::string_view kOurName = "preempt-wrap";
constexpr int kDepthMax = 64;

bool has_ancestor_named(const ProcessEntry& entry, std::string_view name) {
  int parent = entry.parent;
  for (int i = 0; i < kDepthMax && parent != getpid(); ++i) {
    const auto above = read_process(parent);
    if (!above) return false;
    if (above->name.starts_with(name)) return true;
    parent = above->parent;
  }
  return false;
}

Recipient recipient(int pid, std::string_view name, int error) {
  const auto how = error == 0 ? Recipient::How::sent : Recipient::How::failed;
  return {.pid = pid, .name = name, .how = how, .error = error};
}

}  // namespace

TrainerTree::TrainerTree(Child trainer, Plan plan, Scancel scancel)
    : trainer_(std::move(trainer)), plan_(std::move(plan)), scancel_(std::move(scancel)) {}

std::optional<Error> TrainerTree::take_table_error() { return std::exchange(table_error_, {}); }

bool TrainerTree::trainer_notified() const {
  return std::any_of(notified_.begin(), notified_.end(),
                     [this](const ProcessId& id) { return id.pid == trainer_.pid(); });
}

bool TrainerTree::notified(const ProcessId& id) const {
  return std::find(notified_.begin(), notified_.end(), id) != notified_.end();
}

// Who ignores a signal has not been told anything by it, and is not waited for.
void TrainerTree::notify(const ProcessEntry& entry, Signal signal) {
  if (!notified(entry.id) && !ignores_signal(entry.id.pid, signal)) notified_.push_back(entry.id);
}

std::vector<ProcessId> TrainerTree::excluded() const {
  std::vector<ProcessId> excluded = helpers_;
  excluded.insert(excluded.end(), plan_.foreign.begin(), plan_.foreign.end());
  return excluded;
}

bool TrainerTree::has(const ProcessId& id) const {
  const auto table = read_process_table();
  if (!table) return false;
  const auto ours = living_descendants(table->entries, getpid(), excluded());
  return std::any_of(ours.begin(), ours.end(), [&](const ProcessEntry& e) { return e.id == id; });
}

std::optional<ProcessEntry> TrainerTree::trainer_entry() const {
  if (trainer_.reaped()) return {};
  auto entry = read_process(trainer_.pid());
  if (!entry || !entry->alive()) return {};
  if (!plan_.launcher.empty() && entry->name.starts_with("python")) entry->name = plan_.launcher;
  return entry;
}

std::vector<ProcessEntry> TrainerTree::living() {
  const auto table = read_process_table();
  if (!table || !table->whole) {
    const Error partly{"/proc was not read within " + spoken(kTableLimit), {}};
    if (all_seen_) table_error_ = table ? partly : table.error();
    all_seen_ = false;
  }
  if (!table) return {};
  return living_descendants(table->entries, getpid(), excluded());
}

std::vector<ProcessEntry> TrainerTree::others() {
  auto entries = living();
  std::erase_if(entries, [this](const ProcessEntry& e) { return e.id.pid == trainer_.pid(); });
  return entries;
}

Recipient TrainerTree::through_srun(int pid, std::string_view name, Signal signal) {
  if (way_through_srun(signal) == SrunWay::withhold) {
    return {.pid = pid, .name = name, .how = Recipient::How::withheld};
  }
  scancel_(pid, signal);
  return {.pid = pid, .name = name, .how = Recipient::How::by_scancel};
}

Recipient TrainerTree::send_trainer(Signal signal, const Payload& payload) {
  if (plan_.program == "srun" && way_through_srun(signal) != SrunWay::direct) {
    return through_srun(trainer_.pid(), plan_.name, signal);
  }
  return recipient(trainer_.pid(), plan_.name, trainer_.send(signal, payload));
}

Recipient TrainerTree::send_other(const ProcessEntry& entry, Signal signal,
                                  const Payload& payload) {
  if (entry.name == "srun" && way_through_srun(signal) != SrunWay::direct) {
    return through_srun(entry.id.pid, kept(entry.name), signal);
  }
  const int error = send_to_process(entry.id, signal, payload);
  // Looked at again: it may have been stopped since the table was read.
  const auto now = error == 0 ? read_process(entry.id.pid) : std::nullopt;
  if (now && now->id == entry.id && now->stopped()) send_to_process(entry.id, SIGCONT);
  return recipient(entry.id.pid, kept(entry.name), error);
}

void TrainerTree::continue_trainer_if_stopped() {
  const auto trainer = read_process(trainer_.pid());
  if (trainer && trainer->stopped()) trainer_.send(SIGCONT);
}

Recipient TrainerTree::deliver(const ProcessEntry& to, Signal signal, const Payload& payload) {
  if (!notified(to.id)) notified_.push_back(to.id);
  Recipient recipient;
  if (to.id.pid == trainer_.pid()) {
    recipient = send_trainer(signal, payload);
    continue_trainer_if_stopped();
  } else {
    recipient = send_other(to, signal, payload);
    recipient.behind = plan_.program;
  }
  recipient.signal = signal;
  return recipient;
}

Recipient TrainerTree::stop_agent(const ProcessEntry& agent, Signal signal) {
  Recipient recipient =
      agent.id.pid == trainer_.pid() ? send_trainer(signal, {}) : send_other(agent, signal, {});
  recipient.signal = signal;
  return recipient;
}

Recipient TrainerTree::count_as_notified(const ProcessEntry& process) {
  if (!notified(process.id)) notified_.push_back(process.id);
  const bool trainer = process.id.pid == trainer_.pid();
  return {.pid = process.id.pid,
          .name = trainer ? std::string_view(plan_.name) : kept(process.name),
          .how = Recipient::How::by_slurm};
}

Recipients TrainerTree::relay(Signal signal, const Payload& payload, Carrier carrier) {
  Recipients sent;
  if (carrier == Carrier::slurm) {
    if (!trainer_.reaped()) {
      sent.push_back({.pid = trainer_.pid(), .name = plan_.name, .how = Recipient::How::by_slurm});
    }
    for (const ProcessEntry& entry : others()) {
      notify(entry, signal);
      if (!trainer_.reaped() || !notified(entry.id)) continue;
      sent.push_back(
          {.pid = entry.id.pid, .name = kept(entry.name), .how = Recipient::How::by_slurm});
    }
    return sent;
  }
  // With more than the child to reach: look before the trainer may die and its tree scatter.
  if (plan_.audience != Audience::child) relay_to_others(signal, payload, sent);
  sent.insert(sent.begin(), send_trainer(signal, payload));
  continue_trainer_if_stopped();
  return sent;
}

void TrainerTree::relay_to_others(Signal signal, const Payload& payload, Recipients& sent) {
  // A nested wrapper is told, and tells those below it.
  if (plan_.program.starts_with(kOurName)) return;
  const auto trainer = read_process(trainer_.pid());
  for_each_other([&](const ProcessEntry& entry) {
    if (has_ancestor_named(entry, kOurName)) return;
    if (plan_.audience == Audience::group && (!trainer || entry.group != trainer->group)) return;
    notify(entry, signal);
    sent.push_back(send_other(entry, signal, payload));
  });
}

void TrainerTree::for_each_other(const std::function<void(const ProcessEntry&)>& visit) {
  std::vector<ProcessId> visited;
  for (int i = 0; i < kLooksMax; ++i) {
    bool found_more = false;
    for (const ProcessEntry& entry : others()) {
      if (std::find(visited.begin(), visited.end(), entry.id) != visited.end()) continue;
      found_more = true;
      visited.push_back(entry.id);
      visit(entry);
    }
    if (!found_more) return;
  }
}

// In a terminal's group fg has continued the trainer together with us; a second CONT would be one
// more than without us, unless somebody continued us alone.
void TrainerTree::pass(Signal signal, const Payload& payload, Recipients& sent) {
  sent.clear();
  if (signal == SIGCONT && plan_.group == ProcessGroup::shared) {
    const auto trainer = read_process(trainer_.pid());
    if (trainer && !trainer->stopped()) return;
  }
  sent.push_back(send_trainer(signal, payload));
}

Recipients TrainerTree::climb(Signal signal, action::Whom whom) {
  Recipients sent;
  const auto spared = [&](int pid) {
    return whom == action::Whom::who_catches_it && !catches_signal(pid, signal);
  };
  // srun's tasks are reached by scancel, whatever srun itself catches.
  const bool meant =
      plan_.audience != Audience::handlers || notified_.empty() || trainer_notified();
  if (!trainer_.reaped() && meant && (plan_.program == "srun" || !spared(trainer_.pid()))) {
    sent.push_back(send_trainer(signal, {}));
    continue_trainer_if_stopped();
  }
  if (notified_.empty()) return sent;
  for (const ProcessEntry& entry : others()) {
    if (!notified(entry.id) || (entry.name != "srun" && spared(entry.id.pid))) continue;
    sent.push_back(send_other(entry, signal, {}));
  }
  return sent;
}

bool TrainerTree::trainer_has_ended() const {
  siginfo_t info{};
  const auto id = static_cast<id_t>(trainer_.pid());
  return trainer_.reaped() ||
         (waitid(P_PID, id, &info, WEXITED | WNOHANG | WNOWAIT) == 0 && info.si_pid != 0);
}

bool TrainerTree::trainer_has_stopped() const {
  siginfo_t info{};
  const auto id = static_cast<id_t>(trainer_.pid());
  if (waitid(P_PID, id, &info, WSTOPPED | WNOHANG) != 0 || info.si_pid == 0) return false;
  const auto trainer = read_process(trainer_.pid());
  return trainer && trainer->stopped();
}

int TrainerTree::next_ended() {
  const pid_t pid = next_ended_child();
  childless_ = pid == -1;
  return pid;
}

event::TreeSeen TrainerTree::look() {
  event::TreeSeen seen;
  if (childless_) return seen;
  for (const ProcessEntry& entry : others()) {
    const bool waits = std::find(waiting_.begin(), waiting_.end(), entry.id) != waiting_.end();
    ++(waits || notified(entry.id) ? seen.notified : seen.others);
  }
  // A zombie of ours would be left to PID 1, which in a container may not reap it.
  if (seen.notified + seen.others == 0 && next_ended() > 0) seen.others = 1;
  if (!all_seen_ && somebody_unseen()) seen.others = 1;
  return seen;
}

// Without a whole process table: who it is we cannot know, only whether somebody is there. A helper
// of ours is a child, too; then the trainer's group has to tell.
bool TrainerTree::somebody_unseen() const {
  const bool only_the_tree = helpers_.empty() && plan_.foreign.empty();
  if (only_the_tree) return !childless_;
  return plan_.group == ProcessGroup::own && has_group();
}

Recipients TrainerTree::end_stragglers() {
  Recipients sent;
  for (const ProcessEntry& entry : others()) {
    // It still uploads what its trainer, left behind as well, has to say at its end.
    if (!is_bystander(entry.name)) sent.push_back(send_other(entry, SIGTERM, {}));
  }
  return all_seen_ ? sent : signal_group(SIGTERM);
}

Recipients TrainerTree::kill() {
  Recipients sent;
  if (!trainer_.reaped()) {
    sent.push_back(recipient(trainer_.pid(), plan_.name, trainer_.send(SIGKILL)));
    // Where it waits for our processor it dies now, not after the looks at the tree.
    sched_yield();
  }
  for_each_other([&](const ProcessEntry& entry) {
    sent.push_back(recipient(entry.id.pid, kept(entry.name), send_to_process(entry.id, SIGKILL)));
  });
  if (!all_seen_) signal_group(SIGKILL);
  return sent;
}

// Whether a child of ours is in the group that we made for the trainer: its number cannot have been
// given away while a member lives.
bool TrainerTree::has_group() const {
  siginfo_t info{};
  const auto group = static_cast<id_t>(trainer_.pid());
  return waitid(P_PGID, group, &info, WEXITED | WNOHANG | WNOWAIT) == 0;
}

// The last resort without /proc.
Recipients TrainerTree::signal_group(Signal signal) {
  if (plan_.group != ProcessGroup::own || !has_group()) return {};
  const int error = ::kill(-trainer_.pid(), signal) == 0 ? 0 : errno;
  return {recipient(trainer_.pid(), "its process group", error)};
}

}  // namespace pw
