#include "core/parking.hpp"

#include <algorithm>
#include <utility>

namespace pw {

bool Parking::watches(const ProcessId& rank) const {
  return std::any_of(ranks_.begin(), ranks_.end(),
                     [&rank](const Rank& other) { return other.id == rank; });
}

void Parking::watch(const Rank& rank) {
  for (Rank& known : ranks_) {
    if (known.id != rank.id) continue;
    if (rank.why == Why::told) known.why = Why::told;
    return;
  }
  ranks_.push_back(rank);
  const auto known = [&rank](const Launcher& launcher) { return launcher.id == rank.launcher; };
  if (std::any_of(launchers_.begin(), launchers_.end(), known)) return;
  launchers_.push_back({.id = rank.launcher, .afterwards = rank.afterwards});
}

bool Parking::parked(int launcher) const {
  return std::any_of(launchers_.begin(), launchers_.end(), [launcher](const Launcher& other) {
    return other.parked && other.id.pid == launcher;
  });
}

std::vector<ProcessId> Parking::parked_ones() const {
  std::vector<ProcessId> ids;
  for (const Launcher& launcher : launchers_) {
    if (launcher.parked) ids.push_back(launcher.id);
  }
  return ids;
}

std::optional<Parking::Act> Parking::ended(const ProcessId& id, End end) {
  const auto rank = std::find_if(ranks_.begin(), ranks_.end(),
                                 [&id](const Rank& other) { return other.id == id; });
  if (rank == ranks_.end()) return std::nullopt;
  const ProcessId above = rank->launcher;
  ranks_.erase(rank);
  return one_less(above, end);
}

std::vector<Parking::Act> Parking::hold_is_over() {
  std::vector<Act> acts;
  for (std::size_t i = 0; i < ranks_.size();) {
    const Rank rank = ranks_[i];
    if (rank.why == Why::told) {
      ++i;
      continue;
    }
    ranks_.erase(ranks_.begin() + static_cast<std::ptrdiff_t>(i));
    if (const auto act = one_less(rank.launcher, End::done)) acts.push_back(*act);
  }
  return acts;
}

std::optional<Parking::Act> Parking::one_less(const ProcessId& above, End end) {
  Launcher& launcher = *std::find_if(launchers_.begin(), launchers_.end(),
                                     [&above](const Launcher& l) { return l.id == above; });
  launcher.failed = launcher.failed || end != End::done;
  if (!launcher.failed) return std::nullopt;
  const bool last = std::none_of(ranks_.begin(), ranks_.end(),
                                 [&above](const Rank& other) { return other.launcher == above; });
  if (!last && launcher.parked) return std::nullopt;
  const bool was_parked = std::exchange(launcher.parked, !last);
  if (!last) return Act{above, What::park};
  if (launcher.afterwards == Afterwards::term) return Act{above, What::end};
  return was_parked ? std::optional(Act{above, What::go_on}) : std::nullopt;
}

std::vector<Parking::Act> Parking::leave() {
  std::vector<Act> acts;
  for (const Launcher& launcher : launchers_) {
    if (launcher.parked) acts.push_back({launcher.id, What::go_on});
  }
  ranks_.clear();
  launchers_.clear();
  return acts;
}

}  // namespace pw
