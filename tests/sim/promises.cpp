#include <algorithm>

#include "core/delivery.hpp"
#include "world.hpp"

namespace pw {

using namespace std::chrono_literals;

void World::happen(const Event& event) {
  judged_ = 0;
  took_the_place_ = false;
  std::deque<Event> answers{event};
  while (!answers.empty() && !finished_) {
    const Event next = answers.front();
    answers.pop_front();
    for (const Action& action : machine_.step(now_, next)) {
      demand(!finished_, "nothing is done after the end");
      demand(started_ || std::holds_alternative<action::Judge>(action) ||
                 std::holds_alternative<action::Finish>(action),
             "nothing is done before the start");
      std::visit([&](const auto& todo) { act(todo, answers); }, action);
    }
  }
}

// A look sees the world as it is, also deaths that we were not told of yet.
bool World::lives(const Process& process) const { return process.alive && process.dies_at > now_; }

event::TreeSeen World::look() const {
  event::TreeSeen seen;
  for (const Process& other : others_) {
    if (lives(other)) ++(other.notified ? seen.notified : seen.others);
  }
  return seen;
}

void World::act(const action::Judge& judge, std::deque<Event>&) {
  ++judged_;
  verdict_ = judge.verdict;
}

void World::act(const action::TellHang&, std::deque<Event>&) {
  demand(oracle_.own_end, "a hang is told after its relay");
}

void World::act(const action::Relay& relay, std::deque<Event>& answers) {
  const bool late = !trainer_.alive && by_slurm_ && !killed_;
  demand(trainer_.alive || late, "a notice is relayed to somebody");
  took_the_place_ = relay.whom == action::Relay::For::who_was_not_told;
  demand(!took_the_place_ || held_, "only the place of a held notice is taken");
  const bool by_ourselves = machine_.hung() || cancelling_;
  demand(!by_ourselves || relay.signal == SIGTERM, "a hung or cancelled trainer is given TERM");
  episode_signal_ = last_signal_;
  if (!took_the_place_ && !handing_over_) begin_oracle();
  if (took_the_place_) by_cloud_ = false;
  if (!by_cloud_ && !lead_since_) lead_since_ = now_;
  if (late) {
    stragglers_since_.reset();
    for (Process& other : others_) other.notified = other.alive;
    answers.push_back(event::Relayed{});
  } else if (can_be_held(relay.signal) && imports_until_ > now_) {
    hold(answers);
  } else {
    deliver(answers);
  }
}

void World::begin_oracle() {
  covered_term_ = term_follows_;
  others_since_.reset();
  lead_since_ = announced_ ? std::nullopt : std::optional(now_);
  being_ended_ = covered_limit_ = false;
  const auto told = deadline_told_by(policy_.schedule, last_signal_, now_);
  held_ = false;
  by_cloud_ = false;
  if (machine_.hung() || cancelling_) {
    if (cancelling_) {
      demand(trainer_.alive && !oracle_.relay_at, "a cancel begins no second episode");
    } else {
      check_hang();
    }
    advised_now_ = false;
    oracle_ = {.relay_at = now_, .own_end = true};
    return;
  }
  if (announced_) {
    oracle_ = {};
    advised_now_ = announced_->advice;
    advised_ = advised_ || advised_now_;
    if (advised_now_) return;
    demand(trainer_.alive, "a cloud's notice begins an episode of a trainer that lives");
    by_cloud_ = true;
    oracle_.relay_at = now_;
    if (const auto told_then = told_by_cloud()) oracle_.learn(*told_then, policy_.margin, now_);
    return;
  }
  if (limited_) {
    demand(trainer_.alive && !oracle_.relay_at, "nor does our own time limit");
    advised_now_ = false;
    oracle_ = {.relay_at = now_, .own_end = true};
    if (term_follows_) reread(SIGTERM);
    return;
  }
  oracle_ = {};
  const bool far = told && told->at - now_ > kAdviceBeyond;
  advised_now_ = far && trainer_.alive;
  advised_ = advised_ || advised_now_;
  if (advised_now_) return;
  oracle_.relay_at = now_;
  oracle_.own_end = far;
  if (told && !far) learn_told(*told);
}

void World::hold(std::deque<Event>& answers) {
  held_ = true;
  const bool to_some = relays_to_others_ && dice_.one_in(2);
  told_ = to_some;
  Nanos limit = policy_.hold;
  const auto kill_at = oracle_.relay_at ? oracle_.kill_instant(policy_) : std::nullopt;
  if (kill_at) limit = std::min(limit, std::max(*kill_at - now_, Nanos(0)) / 4);
  hold_until_ = now_ + limit;
  if (oracle_.relay_at) oracle_.relay_at = hold_until_;
  answers.push_back(event::Relayed{.told = told_, .waiting = true});
}

void World::deliver(std::deque<Event>& answers) {
  told_ = true;
  trainer_.notified = true;
  if (relays_to_others_) {
    for (Process& other : others_) other.notified = other.notified || other.alive;
  }
  save();
  if (oracle_.relay_at && !handing_over_) oracle_.relay_at = now_;
  held_ = false;
  if (agent_told_last_) agents_run_ends_ = now_ + dice_.up_to(2s);
  answers.push_back(event::Relayed{.agents_pending = agent_told_last_ && agents().pending});
}

event::AgentsSeen World::agents() {
  const bool pending = lives(trainer_) && now_ < agents_run_ends_;
  agents_look_by_ = pending ? std::optional(now_ + kAgentLook) : std::nullopt;
  return {.pending = pending};
}

void World::act(const action::LookAtAgents&, std::deque<Event>& answers) {
  demand(agents_look_by_.has_value(), "agents are looked at only while one is pending");
  demand(machine_.phase() == Phase::draining, "and only in an episode");
  demand(now_ <= *agents_look_by_ + kLateWake || oracle_.excused,
         "and soon, or it has started the next run");
  answers.push_back(agents());
}

void World::act(const action::LookForHandlers&, std::deque<Event>& answers) {
  demand(held_, "handlers are looked for only while a notice is held");
  demand(now_ < hold_until_ + kLateWake + 1ms || oracle_.excused, "a hold has an end");
  if (imports_until_ <= now_ && trainer_.alive) return deliver(answers);
  answers.push_back(event::Relayed{.told = told_, .waiting = true});
}

void World::act(const action::EndHold& end, std::deque<Event>& answers) {
  demand(held_ && now_ >= hold_until_, "no hold is ended before its time");
  demand(end.advice == advised_now_ || oracle_.excused, "nobody is ended for advice");
  if (!end.advice && !gives_up_ && trainer_.alive) return deliver(answers);
  held_ = false;
  // With the trainer gone its leftovers may be swept before the answer is heard.
  if (oracle_.relay_at && trainer_.alive) oracle_.relay_at = now_;
  if (!told_ && trainer_.alive) leave_episode();
  answers.push_back(event::Relayed{.told = told_, .waiting = false});
}

void World::learn_told(const Deadline& told) { oracle_.learn(told, policy_.margin, now_); }

void World::save() {
  if (ignores_notice_) return;
  trainer_.dies_at = std::min(trainer_.dies_at, now_ + save_time_);
  for (Process& other : others_) {
    if (other.notified) other.dies_at = std::min(other.dies_at, now_ + dice_.up_to(save_time_));
  }
}

void World::act(const action::Pass&, std::deque<Event>&) {
  demand(trainer_.alive, "only a living trainer is passed signals");
}

void World::act(const action::Climb& climb, std::deque<Event>&) {
  demand(climb.signal != SIGKILL, "KILL is for the whole tree");
  demand(oracle_.relay_at.has_value(), "rungs come after a relay");
}

void World::act(const action::EndStragglers&, std::deque<Event>&) {
  demand(!trainer_.alive, "stragglers are what the trainer left behind");
  demand(look().notified == 0 || (!oracle_.relay_at && now_ >= withdrawn_until_),
         "no process that got the notice is ended as a straggler");
  demand(policy_.stragglers.has_value(), "--stragglers leave leaves them");
  for (Process& other : others_) {
    if (dice_.one_in(2)) other.dies_at = std::min(other.dies_at, now_ + dice_.up_to(1s));
  }
  stragglers_since_ = now_;
}

void World::act(const action::KillTree&, std::deque<Event>& answers) {
  if (!killed_) check_first_kill();
  killed_ = true;
  const Instant dead = now_ + dice_.up_to(20ms);
  if (trainer_.killable) trainer_.dies_at = std::min(trainer_.dies_at, dead);
  for (Process& other : others_) {
    if (other.killable) other.dies_at = std::min(other.dies_at, dead);
  }
  answers.push_back(look());
}

void World::check_first_kill() {
  if (oracle_.hurried) return;
  if (stragglers_since_) {
    const bool waited = now_ >= *stragglers_since_ + *policy_.stragglers;
    const auto instant = oracle_.relay_at ? oracle_.kill_instant(policy_) : std::nullopt;
    return demand(waited || (instant && now_ >= *instant), "stragglers get their time");
  }
  demand(oracle_.relay_at.has_value(), "no KILL without a notice");
  if (!oracle_.relay_at) return;
  const auto instant = oracle_.kill_instant(policy_);
  demand(instant && now_ >= *instant, "never KILL before min(grace, deadline - margin)");
}

// After every event: the KILL instant has not gone by unused.
void World::watch_the_clock() {
  if (finished_ || killed_ || oracle_.excused || !oracle_.relay_at) return;
  if (machine_.phase() != Phase::draining) return;
  const auto instant = oracle_.kill_instant(policy_);
  demand(!instant || now_ < *instant + kLateWake + 1ms, "never KILL later than that");
}

void World::act(const action::LookAtTree&, std::deque<Event>& answers) {
  answers.push_back(look());
}

void World::act(const action::Finish&, std::deque<Event>&) {
  finished_ = true;
  if (machine_.facts().ending.kind == Ending::Kind::never_started) return;
  if (!policy_.stragglers && !killed_ && (look().notified == 0 || !oracle_.relay_at)) return;
  for (const Process& other : others_) {
    demand(!lives(other) || !other.killable, "never done while a child that can be killed lives");
  }
  demand(!lives(trainer_), "never done while the trainer lives");
}

}  // namespace pw
