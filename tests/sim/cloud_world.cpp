// What a cloud says in the simulated world, and what it takes back.
#include "world.hpp"

namespace pw {

using namespace std::chrono_literals;

std::optional<Deadline> World::told_by_cloud() const {
  auto told = announced_->told;
  if (!told || !policy_.schedule.deadline_known) return {};
  if (policy_.schedule.lead) told->at = std::min(told->at, now_ + *policy_.schedule.lead);
  return told;
}

void World::cloud_notice() {
  event::NoticeGiven given{.source = NoticeSource::cloud, .as = SIGUSR1};
  given.advice = dice_.one_in(5);
  if (!given.advice) {
    given.told = Deadline{now_ + dice_.up_to(3min), Certainty::fact, DeadlineSource::cloud};
  }
  announced_ = given;
  const Phase phase = machine_.phase();
  const auto kill_before = machine_.kill_at();
  if (phase == Phase::draining && !given.advice) {
    if (const auto told = told_by_cloud()) {
      if (std::exchange(spared_, false)) {
        oracle_.standing.reset();
        oracle_.done_by.reset();
        oracle_.excused = true;
      }
      oracle_.learn(*told, policy_.margin, now_);
    }
  }
  last_signal_ = SIGUSR1;
  happen(given);
  announced_.reset();
  if (given.advice && phase == Phase::draining) {
    demand(machine_.kill_at() == kill_before, "advice changes no clock");
  }
  if (given.advice && phase == Phase::running) {
    demand(machine_.phase() == Phase::running, "advice begins no episode");
  }
}

void World::withdraw() {
  const auto kill_before = machine_.kill_at();
  const Phase phase = machine_.phase();
  happen(event::NoticeWithdrawn{});
  demand(judged_ == 0 && machine_.phase() == phase, "a withdrawal ends nothing at once");
  demand(machine_.kill_at() == kill_before, "and moves no clock");
  const auto deadline = machine_.deadline();
  const bool cloud = deadline && deadline->source == DeadlineSource::cloud;
  if (phase == Phase::draining && by_cloud_ && cloud) spared_ = true;
}

// The episode is over when the time has come, and nobody was killed for it.
void World::check_spared() {
  if (machine_.phase() != Phase::running) return;
  by_cloud_ = spared_ = false;
  advised_ = advised_now_ = true;
  leave_episode();
}

}  // namespace pw
