#include "verbs/overseers.hpp"

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>

#include "os/process_table.hpp"
#include "os/signal_state.hpp"

namespace pw {
namespace {

// Deeper than any real tree: a table that changes while it is read may show a ring.
constexpr std::size_t kDepthMax = 64;

Parking::End end_of(const ProcessEnd& end) {
  const auto status = end.wait_status();
  if (!status) return Parking::End::unknown;
  return *status == 0 ? Parking::End::done : Parking::End::failed;
}

}  // namespace

Overseers::Deeds Overseers::meet(std::span<const int> told, std::span<const int> waiting) {
  Deeds deeds;
  for (const int process : told) meet_above(deeds, process, Parking::Why::told);
  for (const int process : waiting) meet_above(deeds, process, Parking::Why::waits);
  if (!waiting.empty()) return deeds;
  for (const Parking::Act& act : parking_.hold_is_over()) deeds.push_back(carry_out(act));
  std::erase_if(ends_, [this](const ProcessEnd& end) { return !parking_.watches(end.process()); });
  return deeds;
}

// From a process upwards to our own child; nobody if it does not descend from us: its PID may be
// another one's by now.
std::vector<ProcessEntry> Overseers::line_of_descent(int pid) const {
  std::vector<ProcessEntry> line;
  while (pid > 1 && line.size() < kDepthMax) {
    auto entry = read_process(pid);
    if (!entry) return {};
    const bool python = entry->name.starts_with("python");
    if (pid == trainer_ && !launcher_.empty() && python) entry->name = launcher_;
    pid = entry->parent;
    line.push_back(std::move(*entry));
    if (pid == getpid()) return line;
  }
  return {};
}

void Overseers::meet_above(Deeds& deeds, int process, Parking::Why why) {
  const std::vector<ProcessEntry> line = line_of_descent(process);
  for (std::size_t i = 1; i < line.size(); ++i) {
    const ProcessEntry& launcher = line[i];
    const LauncherManner* manner = manner_of(launcher.name);
    if (manner == nullptr) continue;
    if (manner->ends_ranks) watch(line[i - 1], launcher, *manner->ends_ranks, why);
    if (manner->no_more_work != 0) tell_no_more_work(deeds, launcher, manner->no_more_work);
  }
}

void Overseers::watch(const ProcessEntry& rank, const ProcessEntry& launcher, Afterwards afterwards,
                      Parking::Why why) {
  if (!parking_.watches(rank.id)) {
    auto end = ProcessEnd::of(rank.id);
    if (!end) return;
    ends_.push_back(std::move(*end));
  }
  parking_.watch({rank.id, launcher.id, afterwards, why});
}

void Overseers::tell_no_more_work(Deeds& deeds, const ProcessEntry& launcher, Signal signal) {
  const auto begin = no_more_work_.begin();
  if (std::find(begin, no_more_work_.end(), launcher.id) != no_more_work_.end()) return;
  if (!catches_signal(launcher.id.pid, signal)) return;
  no_more_work_.push_back(launcher.id);
  const int error = send_to_process(launcher.id, signal);
  deeds.push_back({launcher.id.pid, launcher.name, Deed::What::no_more_work, error});
}

Overseers::Deeds Overseers::advance() {
  Deeds deeds;
  for (auto end = ends_.begin(); end != ends_.end();) {
    if (!end->has_come()) {
      ++end;
      continue;
    }
    const auto act = parking_.ended(end->process(), end_of(*end));
    if (act) deeds.push_back(carry_out(*act));
    end = ends_.erase(end);
  }
  return deeds;
}

Overseers::Deeds Overseers::leave() {
  Deeds deeds;
  for (const Parking::Act& act : parking_.leave()) deeds.push_back(carry_out(act));
  ends_.clear();
  no_more_work_.clear();
  return deeds;
}

Overseers::Deed Overseers::carry_out(const Parking::Act& act) const {
  const auto entry = read_process(act.launcher.pid);
  Deed deed{act.launcher.pid, entry ? entry->name : "launcher"};
  switch (act.what) {
    case Parking::What::park:
      deed.what = Deed::What::parked;
      deed.error = send_to_process(act.launcher, SIGSTOP);
      break;
    case Parking::What::go_on:
      deed.what = Deed::What::went_on;
      deed.error = send_to_process(act.launcher, SIGCONT);
      wake_those_above(act.launcher.pid);
      break;
    case Parking::What::end:
      // Before SIGCONT: it must not see first that its ranks have ended.
      deed.what = Deed::What::went_on;
      if (catches_signal(act.launcher.pid, SIGTERM)) {
        deed.what = Deed::What::ended;
        deed.error = send_to_process(act.launcher, SIGTERM);
      }
      send_to_process(act.launcher, SIGCONT);
      wake_those_above(act.launcher.pid);
      break;
  }
  return deed;
}

void Overseers::keep_still_again() const {
  for (const ProcessId& launcher : parking_.parked_ones()) send_to_process(launcher, SIGSTOP);
}

// su(1) and script(1) stop themselves when their child stops, and wait for somebody's CONT.
void Overseers::wake_those_above(int launcher) const {
  for (const ProcessEntry& entry : line_of_descent(launcher)) {
    if (entry.id.pid != launcher && entry.stopped()) send_to_process(entry.id, SIGCONT);
  }
}

void Overseers::add_fds(std::vector<int>& fds) const {
  for (const ProcessEnd& end : ends_) fds.push_back(end.fd());
}

}  // namespace pw
