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
  if (given.told) cloud_end_ = told_by_cloud().value_or(*given.told).at;
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
  return covered_limit_ || being_ended_ || cancelled_ || (others_since_ && !far);
}

// Nobody is killed for it. What others have said meanwhile stands, at its time.
void World::withdraw() {
  const auto kill_before = machine_.kill_at();
  const Phase phase = machine_.phase();
  std::optional<Deadline> stands;
  if (dice_.one_in(4)) stands = {now_ + dice_.up_to(3min), Certainty::fact, DeadlineSource::cloud};
  if (phase == Phase::draining && trainer_.alive) {
    go_on_without_cloud(stands);
    happen(event::NoticeWithdrawn{stands});
    limited_ = term_follows_ = handing_over_ = false;
    return;
  }
  happen(event::NoticeWithdrawn{stands});
  demand(judged_ == 0 && machine_.phase() == phase, "nothing else is ended by a withdrawal");
  demand(machine_.kill_at() == kill_before, "and no other clock moved");
}

void World::go_on_without_cloud(const std::optional<Deadline>& stands) {
  oracle_.forget_clouds(policy_.margin);
  const Instant soon = now_ + 10s;
  if (!stands) oracle_.not_before = std::min(machine_.kill_at().value_or(soon), soon);
  const bool over = !stands && by_cloud_ && !others_stand();
  if (stands) {
    Deadline told = *stands;
    const auto& lead = policy_.schedule.lead;
    if (lead) told.at = std::min(told.at, std::max(*machine_.episode_at() + *lead, soon));
    cloud_end_ = told.at;
    if (policy_.schedule.deadline_known) oracle_.learn(told, policy_.margin, now_);
  } else if (by_cloud_ && !over) {
    hand_over();
  }
  if (!over) {
    const bool far = oracle_.standing_is_fact && *oracle_.standing - now_ > kAdviceBeyond;
    if (far && !oracle_.own_end && !being_ended_ && !cancelled_) turn_into_advice();
    return;
  }
  by_cloud_ = false;
  if (told_) {
    advised_ = true;
    reports_.excused_until = withdrawn_until_ = std::max(withdrawn_until_, cloud_end_);
  }
  held_ = false;
  leave_episode();
  if (std::exchange(covered_term_, false)) last_signal_ = SIGTERM;  // a notice of its own now
}

// To others, who get the time that they have asked for; the trainer gets their TERM.
void World::hand_over() {
  by_cloud_ = false;
  oracle_.own_end = covered_limit_ || cancelled_;
  if (!held_) oracle_.relay_at = others_since_.value_or(now_);
  if (told_) reports_.excused_until = withdrawn_until_ = std::max(withdrawn_until_, cloud_end_);
  if (std::exchange(covered_term_, false)) {
    handing_over_ = true;
    held_ = false;
    last_signal_ = SIGTERM;
  }
}

// The trainer leaves, and others have not saved yet.
void World::go_on_saving() {
  oracle_ = {};
  oracle_.relay_at = now_;
  if (policy_.schedule.deadline_known) {
    oracle_.learn({withdrawn_until_, Certainty::fact, DeadlineSource::cloud}, policy_.margin, now_);
  }
  by_cloud_ = told_ = true;
  others_since_.reset();
  lead_since_ = now_;
  being_ended_ = covered_limit_ = covered_term_ = false;
}

}  // namespace pw
