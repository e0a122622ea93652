#pragma once
#include "core/supervision.hpp"
#include "dice.hpp"

namespace pw {

// The settings of one schedule: each rule of the deadline, with and without the others.
inline Policy random_policy(Dice& dice, Instant start) {
  Policy policy;
  policy.schedule.in_slurm = dice.one_in(2);
  if (dice.one_in(3))
    policy.schedule.lead =
        Millis(1) + dice.up_to(dice.one_in(4) ? std::chrono::minutes(90) : std::chrono::minutes(2));
  if (dice.one_in(3))
    policy.schedule.job_end =
        start + dice.up_to(dice.one_in(3) ? std::chrono::hours(3) : std::chrono::minutes(5)) -
        Seconds(30);
  if (dice.one_in(3)) policy.ladder.grace = dice.up_to(std::chrono::minutes(2));
  if (dice.one_in(5)) policy.ladder = *parse_ladder("relay@30s,TERM@10s,ABRT@2s,KILL");
  if (dice.one_in(4)) policy.margin = dice.up_to(Seconds(10));
  if (dice.one_in(6)) policy.stragglers.reset();
  if (dice.one_in(6)) policy.signal_map = {{SIGUSR1, dice.one_in(2) ? 0 : SIGTERM}};
  if (dice.one_in(8)) policy.notices = {SIGTERM};
  if (dice.one_in(3)) policy.hold = dice.up_to(Seconds(40));
  if (dice.one_in(4)) policy.watchdog = Seconds(1) + dice.up_to(std::chrono::minutes(2));
  if (dice.one_in(6)) policy.max_grace = dice.up_to(std::chrono::minutes(30));
  return policy;
}

}  // namespace pw
