// How a run ends: SIGKILL for the tree, the stragglers, and the looks at what is left. The other
// half of the class is what happens before.
#include <algorithm>

#include "core/supervision.hpp"

namespace pw {
namespace {

// Looks at the tree come at rising intervals; the end of a child of ours brings one at once.
constexpr Nanos kFirstLook = Millis(5);
constexpr Nanos kSlowestLook = Millis(250);

}  // namespace

void Supervision::kill_tree() {
  killed_trainer_ = killed_trainer_ || !ending_;
  phase_ = Phase::sweeping;
  hold_.reset();
  killing_ = true;
  stragglers_at_.reset();
  sweep_kill_at_.reset();
  give_up_at_ = now_ + kGiveUpAfter;
  look_interval_ = Nanos(0);
  look();
}

void Supervision::sweep(int left) {
  hold_.reset();
  if (left == 0 || !policy_.stragglers) return finish();
  const bool by_notice =
      ending_->kind == Ending::Kind::signalled && policy_.notices.contains(ending_->number);
  const bool noticed = policy_.schedule.in_slurm && phase_ == Phase::running && by_notice;
  stragglers_at_ = noticed ? now_ + kSameNotice : now_;
  sweep_kill_at_ = *stragglers_at_ + *policy_.stragglers;
  if (phase_ == Phase::draining && ladder_.kill_at()) {
    sweep_kill_at_ = std::min(*sweep_kill_at_, *ladder_.kill_at());
  }
  phase_ = Phase::sweeping;
  look_interval_ = kFirstLook;
  look_at_ = now_ + kFirstLook;
}

// Killing is looking: each sweep takes what was forked since the last one.
void Supervision::look() {
  look_interval_ =
      look_interval_ == Nanos(0) ? kFirstLook : std::min(2 * look_interval_, kSlowestLook);
  look_at_ = now_ + look_interval_;
  if (killing_) {
    actions_.push_back(action::KillTree{});
  } else {
    actions_.push_back(action::LookAtTree{});
  }
}

void Supervision::repeat_looks() {
  if ((phase_ == Phase::draining || phase_ == Phase::sweeping) && look_at_ && now_ >= *look_at_) {
    look();
  }
}

void Supervision::finish() {
  phase_ = Phase::done;
  actions_.push_back(action::Finish{});
}

}  // namespace pw
