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
  if (given.told) cloud_end_ = given.told->at;
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

bool World::others_stand() const {
  const bool far = oracle_.standing && *oracle_.standing - now_ > kAdviceBeyond;
  return covered_limit_ || being_ended_ || (others_ask_ && !far);
}

// Nobody is killed for it. What others have said meanwhile stands, at its time.
void World::withdraw() {
  const auto kill_before = machine_.kill_at();
  const Phase phase = machine_.phase();
  std::optional<Deadline> stands;
  if (dice_.one_in(4)) stands = {now_ + dice_.up_to(3min), Certainty::fact, DeadlineSource::cloud};
  if (phase == Phase::draining && trainer_.alive && !cancelled_) {
    go_on_without_cloud(stands);
    happen(event::NoticeWithdrawn{stands});
    return;
  }
  happen(event::NoticeWithdrawn{stands});
  demand(judged_ == 0 && machine_.phase() == phase, "nothing else is ended by a withdrawal");
  demand(machine_.kill_at() == kill_before, "and no other clock moved");
}

void World::go_on_without_cloud(const std::optional<Deadline>& stands) {
  oracle_.forget_clouds(policy_.margin);
  if (stands) {
    cloud_end_ = stands->at;
    Deadline told = *stands;
    const auto& lead = policy_.schedule.lead;
    if (lead) told.at = std::min(told.at, *machine_.episode_at() + *lead);
    if (policy_.schedule.deadline_known) oracle_.learn(told, policy_.margin, now_);
    return;
  }
  if (!by_cloud_) return;
  by_cloud_ = false;
  if (others_stand()) {
    oracle_.own_end = covered_limit_;
    if (!held_) oracle_.relay_at = now_;
    return;
  }
  if (told_) {
    advised_ = true;
    withdrawn_until_ = std::max(withdrawn_until_, cloud_end_);
  }
  held_ = false;
  leave_episode();
  if (std::exchange(covered_term_, false)) last_signal_ = SIGTERM;  // a notice of its own now
}

}  // namespace pw
