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

// Nobody is killed for it: with the episode its clock is gone. What others have said meanwhile is
// a notice of its own.
void World::withdraw() {
  const auto kill_before = machine_.kill_at();
  const Phase phase = machine_.phase();
  const auto deadline = machine_.deadline();
  const bool cloud = deadline && deadline->source == DeadlineSource::cloud;
  const bool over = phase == Phase::draining && by_cloud_ && cloud && trainer_.alive && !cancelled_;
  const auto covered = std::exchange(covered_, {});
  if (over) {
    by_cloud_ = held_ = covered_term_ = false;
    advised_ = true;
    leave_episode();
    limited_ = covered && *covered == 0;
    if (covered && *covered != 0) last_signal_ = *covered;
  } else {
    covered_ = covered;
  }
  happen(event::NoticeWithdrawn{});
  limited_ = false;
  if (!over) {
    demand(judged_ == 0 && machine_.phase() == phase, "nothing else is ended by a withdrawal");
    demand(machine_.kill_at() == kill_before, "and no other clock moved");
  } else if (covered) {
    demand(judged_ == 1, "what it had covered is not forgotten");
  } else {
    demand(machine_.phase() == Phase::running && !machine_.kill_at(), "it leaves no clock behind");
  }
}

}  // namespace pw
