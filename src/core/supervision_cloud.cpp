// A cloud takes back what it announced: nobody is killed for it. What others ask for stands, with
// the time that it had, and whoever was told may finish its save.
#include <algorithm>

#include "core/supervision.hpp"

namespace pw {
namespace {

// Between the withdrawal and SIGKILL, whatever others had asked for and when; but no later than it
// would have come without the withdrawal.
constexpr Nanos kLeast = Seconds(10);

}  // namespace

void Supervision::on(const event::NoticeWithdrawn& withdrawn) {
  // Who is left of a trainer that has left for it has its clock.
  if (phase_ != Phase::draining || ending_) return;
  if (!withdrawn.stands)
    not_before_ = std::min(ladder_.kill_at().value_or(now_ + kLeast), now_ + kLeast);
  end_ = end_by_others_;
  if (!by_cloud_ && !withdrawn.stands) hung_ = hung_ || hung_before_cloud_;
  if (withdrawn.stands) {
    go_by(*withdrawn.stands);
  } else if (by_cloud_ && others_stand()) {
    hand_over();
  } else if (by_cloud_) {
    return take_back();
  }
  if (is_advice()) return turn_into_advice();
  ladder_.restart(relay_at_, now_, planned_kill());
}

// Of two watchers one has taken back its end, which may have been the nearer one.
void Supervision::go_by(Deadline stands) {
  const auto& schedule = policy_.schedule;
  if (schedule.lead) {
    stands.at = std::min(stands.at, std::max(*episode_at_ + *schedule.lead, now_ + kLeast));
  }
  cloud_end_ = stands.at;
  if (schedule.deadline_known) adopt(stands);
}

// As if nothing nearer had ever been known (turn_into_advice).
bool Supervision::is_advice() const {
  const auto& end = end_.deadline();
  const bool far = end && end->certainty == Certainty::fact && end->at - now_ > kAdviceBeyond;
  return far && !own_grace_ && !being_ended_ && !hung_ && !cancelled_;
}

bool Supervision::others_stand() const {
  const auto& end = end_by_others_.deadline();
  const bool far = end && end->at - now_ > kAdviceBeyond;
  return covered_limit_ || being_ended_ || cancelled_ || (others_since_ && !far);
}

// The trainer was told, but not of a TERM.
void Supervision::hand_over() {
  by_cloud_ = false;
  remember_who_was_told();
  if (covered_limit_ || cancelled_) own_grace_ = policy_.ladder.grace.value_or(kGraceElsewhere);
  if (!hold_) relay_at_ = others_since_.value_or(now_);
  if (const auto term = std::exchange(covered_term_, {})) {
    hold_.reset();
    const Signal becomes = mapped(SIGTERM);
    ladder_ = Ladder(policy_.ladder, becomes, now_, planned_kill());
    begin_with(*term, becomes, action::Relay::For::everyone);
  }
}

void Supervision::remember_who_was_told() {
  if (!told_ || !cloud_end_) return;
  withdrawn_end_ = std::max(withdrawn_end_.value_or(*cloud_end_), *cloud_end_);
  advised_ = advised_ | sent_;  // a slow save
  excused_until_ = withdrawn_end_;
}

void Supervision::take_back() {
  remember_who_was_told();
  hold_.reset();
  forget_end();
  const auto term = std::exchange(covered_term_, {});
  leave_episode();
  if (term) notice(*term);
}

// The trainer has left for a notice that was withdrawn, others have not yet: they keep the end that
// was named, as if the withdrawal had come later.
void Supervision::go_on_saving() {
  forget_end();
  if (policy_.schedule.deadline_known) {
    adopt({*withdrawn_end_, Certainty::fact, DeadlineSource::cloud});
  }
  if (!planned_kill()) own_grace_ = *withdrawn_end_ - now_;
  open_episode(episode_notice_);
  by_cloud_ = told_ = true;
}

}  // namespace pw
