// A seeded simulation: random worlds drive the state machine, and after every step each promise
// that its header makes is checked. `SEED=n` repeats one schedule; PW_FULL=1 runs twenty times
// more.
#include <doctest/doctest.h>

#include <algorithm>
#include <cstdlib>
#include <deque>
#include <string>

#include "core/delivery.hpp"
#include "core/supervision.hpp"
#include "dice.hpp"
#include "oracle.hpp"
#include "random_policy.hpp"

using namespace pw;
using namespace std::chrono_literals;

namespace {

constexpr Instant kNever = Instant::max();

struct Process {
  bool alive = true;
  bool notified = false;
  bool killable = true;
  Instant dies_at = kNever;
};

class World {
 public:
  explicit World(std::uint64_t seed)
      : dice_(seed), now_(1000h), policy_(random_policy(dice_, now_)), machine_(policy_) {
    const std::uint64_t others = dice_.one_in(2) ? 0 : dice_.below(5);
    for (std::uint64_t i = 0; i < others; ++i) {
      others_.push_back({.killable = !dice_.one_in(40), .dies_at = now_ + dice_.up_to(5min)});
    }
    relays_to_others_ = dice_.one_in(2);
    imports_until_ = dice_.one_in(2) ? now_ : now_ + dice_.up_to(2min);
    gives_up_ = dice_.one_in(3);
    trainer_.dies_at = now_ + dice_.up_to(dice_.one_in(5) ? 2h : 5min);
    save_time_ = dice_.up_to(3min);
    ignores_notice_ = dice_.one_in(3);
  }

  /// The first promise that was broken; empty if all held.
  std::string run() {
    if (dice_.one_in(20)) signal();
    if (machine_.phase() == Phase::starting) happen(event::TrainerStarted{});
    for (int i = 0; i < 3000 && !finished_ && broken_.empty(); ++i) next_event();
    if (broken_.empty() && !finished_) broken_ = "every run ends";
    return broken_;
  }

 private:
  void demand(bool holds, const char* promise) {
    if (!holds && broken_.empty()) broken_ = promise;
  }

  // The next thing that happens: a death, the timer, or something from outside.
  void next_event() {
    Instant death = trainer_.alive ? trainer_.dies_at : kNever;
    Process* dying = trainer_.alive ? &trainer_ : nullptr;
    for (Process& other : others_) {
      if (other.alive && other.dies_at < death) {
        death = other.dies_at;
        dying = &other;
      }
    }
    const Instant wake = machine_.next_wake().value_or(kNever);
    const Instant outside = outside_left_ > 0 ? now_ + dice_.up_to(40s) : kNever;
    const Instant next = std::min({death, wake, outside});
    if (next == kNever) {
      demand(false, "every run ends");
    } else if (next == death) {
      now_ = std::max(now_, death);
      die(*dying);
    } else if (next == wake) {
      now_ = std::max(now_, wake);
      if (dice_.one_in(60)) be_late();
      if (!finished_) happen(event::TimeCame{});
    } else {
      --outside_left_;
      now_ = outside;
      from_outside();
    }
    watch_the_clock();
    watch_the_reports();
  }

  void be_late() {
    const Nanos late = dice_.up_to(3min);
    now_ += late;
    if (late > kLateWake) oracle_.excused = reports_.slept = true;
    // What died meanwhile is told first, as the loop does it: signals before the timer.
    if (trainer_.alive && trainer_.dies_at <= now_) die(trainer_);
    for (Process& other : others_) {
      if (other.alive && other.dies_at <= now_) die(other);
    }
  }

  void die(Process& process) {
    process.alive = false;
    if (&process != &trainer_) return happen(event::TreeChanged{});
    const bool killed = killed_;
    happen(event::TrainerEnded{killed ? Ending{Ending::Kind::signalled, SIGKILL}
                                      : Ending{Ending::Kind::exited, 0}});
  }

  void from_outside() {
    if (policy_.watchdog && dice_.one_in(3)) return report();
    switch (dice_.below(9)) {
      case 8: return happen(event::TrainerReady{});
      case 0: return happen(event::TreeChanged{});
      case 1: return learn();
      case 2: return extend();
      case 3: return type_interrupt();
      default: return signal();
    }
  }

  void learn() {
    const bool fact = dice_.one_in(2);
    const Instant at = now_ + dice_.up_to(dice_.one_in(5) ? 2h : 3min);
    const bool in_time = machine_.phase() == Phase::draining;
    const bool into_advice = in_time && trainer_.alive && fact && at - now_ > kAdviceBeyond &&
                             (!oracle_.standing || !oracle_.standing_is_fact) && !oracle_.hung;
    if (into_advice) {
      advised_now_ = true;
      leave_episode();
    } else if (in_time) {
      oracle_.learn(at, fact, policy_.margin, now_);
    }
    happen(event::DeadlineLearned{
        {at, fact ? Certainty::fact : Certainty::guess, DeadlineSource::lead}});
  }

  void leave_episode() {
    oracle_ = {};
    if (reports_.last) reports_.last = now_;  // it may have been silent while it saved
  }

  void report() {
    if (dice_.one_in(10)) {
      reports_.says_it_hangs = true;
      return happen(event::HangReported{});
    }
    reports_.last = now_;
    happen(event::Reported{});
  }

  void check_hang() {
    demand(policy_.watchdog.has_value(), "no watchdog that was not asked for");
    demand(trainer_.alive && !oracle_.relay_at, "in an episode nobody has to report");
    demand(reports_.may_be_hung(policy_, now_), "who reports in time is never taken for hung");
  }

  // After every event: silence has not gone by unnoticed.
  void watch_the_reports() {
    reports_.says_it_hangs = false;
    if (machine_.phase() != Phase::running || !trainer_.alive) return;
    demand(!reports_.overdue(policy_, now_), "silence is noticed in time");
  }

  void extend() {
    const auto before = machine_.kill_at();
    happen(event::GraceAsked{dice_.up_to(10min)});
    const auto after = machine_.kill_at();
    if (!before || !after || *before == *after) return;
    oracle_.excused = true;
    const Instant limit =
        oracle_.done_by ? *oracle_.done_by : *oracle_.relay_at + policy_.max_grace;
    demand(*after <= std::max(limit, *before), "EXTEND never moves KILL past deadline - margin");
  }

  void type_interrupt() {
    if (machine_.phase() == Phase::draining || machine_.phase() == Phase::sweeping) {
      oracle_.hurried = true;
    }
    happen(event::SignalCame{.signal = SIGINT, .cause = Cause::typed});
  }

  void signal() {
    constexpr Signal kSignals[] = {SIGUSR1, SIGUSR2, SIGTERM, SIGINT, SIGHUP, SIGTERM};
    const event::SignalCame came{.signal = kSignals[dice_.below(std::size(kSignals))]};
    const Phase phase = machine_.phase();
    const auto kill_before = machine_.kill_at();
    // The first notice after a hang may bring a fact itself.
    const bool first_lead = oracle_.hung && policy_.schedule.lead;
    const bool fact_stands = oracle_.standing_is_fact;
    last_signal_ = came.signal;
    if (phase == Phase::draining && policy_.notices.contains(came.signal)) reread(came.signal);
    happen(came);
    demand(judged_ == 1 || phase == Phase::done, "every signal gets exactly one verdict");
    if (phase == Phase::done || !policy_.notices.contains(came.signal)) return;
    check_notice(came.signal, phase);
    const auto kill_after = machine_.kill_at();
    const bool drained = phase == Phase::draining && machine_.phase() == Phase::draining;
    if (!drained || first_lead) return;
    demand(!kill_before || (kill_after && *kill_after <= *kill_before),
           "a clock is never restarted by a repeat");
    demand(!fact_stands || kill_before == kill_after || took_the_place_,
           "a guess never changes what a fact said");
  }

  void reread(Signal signal) {
    const auto mapped = policy_.signal_map.find(signal);
    const bool dropped = mapped != policy_.signal_map.end() && mapped->second == 0;
    const auto told = deadline_told_by(policy_.schedule, signal, now_);
    if (told && !dropped) learn_told(*told);
  }

  void check_notice(Signal signal, Phase phase) {
    const auto mapped = policy_.signal_map.find(signal);
    const bool dropped = mapped != policy_.signal_map.end() && mapped->second == 0;
    switch (verdict_) {
      case Verdict::relayed:
        demand(phase == Phase::running || took_the_place_, "a notice is relayed once per episode");
        return;
      case Verdict::advice:
        demand(phase == Phase::running, "a notice is relayed once per episode");
        return;
      case Verdict::covered:
        demand(phase == Phase::draining || advised_ || phase == Phase::starting,
               "a notice is covered only by an earlier one");
        return;
      case Verdict::kept:
        return demand(phase == Phase::starting, "only before the start is advice kept");
      case Verdict::dropped: return demand(dropped, "only a mapped notice is dropped");
      case Verdict::forestalled:
        return demand(phase == Phase::starting, "only before the start is a start forestalled");
      case Verdict::too_late:
        return demand(!trainer_.alive || killed_, "only after the trainer's end it is too late");
      default: return demand(false, "a notice is always relayed or covered by an earlier one");
    }
  }

  void happen(const Event& event) {
    judged_ = 0;
    took_the_place_ = false;
    std::deque<Event> answers{event};
    while (!answers.empty() && !finished_) {
      const Event next = answers.front();
      answers.pop_front();
      for (const Action& action : machine_.step(now_, next)) {
        demand(!finished_, "nothing is done after the end");
        std::visit([&](const auto& todo) { act(todo, answers); }, action);
      }
    }
  }

  // A look sees the world as it is, also deaths that we were not told of yet.
  bool lives(const Process& process) const { return process.alive && process.dies_at > now_; }

  event::TreeSeen look() const {
    event::TreeSeen seen;
    for (const Process& other : others_) {
      if (lives(other)) ++(other.notified ? seen.notified : seen.others);
    }
    return seen;
  }

  void act(const action::Judge& judge, std::deque<Event>&) {
    ++judged_;
    verdict_ = judge.verdict;
  }

  void act(const action::TellHang&, std::deque<Event>&) {
    demand(oracle_.hung, "a hang is told after its relay");
  }

  void act(const action::Relay& relay, std::deque<Event>& answers) {
    demand(trainer_.alive, "a notice is relayed to somebody");
    took_the_place_ = relay.whom == action::Relay::For::who_was_not_told;
    demand(!took_the_place_ || held_, "only the place of a held notice is taken");
    demand(!machine_.hung() || relay.signal == SIGTERM, "a hung trainer is given TERM");
    if (!took_the_place_) begin_oracle();
    if (can_be_held(relay.signal) && imports_until_ > now_) {
      hold(answers);
    } else {
      deliver(answers);
    }
  }

  void begin_oracle() {
    const auto told = deadline_told_by(policy_.schedule, last_signal_, now_);
    held_ = false;
    if (machine_.hung()) {
      check_hang();
      advised_now_ = false;
      oracle_ = {.relay_at = now_, .hung = true};
      return;
    }
    oracle_ = {};
    advised_now_ = told && told->at - now_ > kAdviceBeyond;
    advised_ = advised_ || advised_now_;
    if (advised_now_) return;
    oracle_.relay_at = now_;
    if (told) learn_told(*told);
  }

  void hold(std::deque<Event>& answers) {
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

  void deliver(std::deque<Event>& answers) {
    told_ = true;
    trainer_.notified = true;
    if (relays_to_others_) {
      for (Process& other : others_) other.notified = other.notified || other.alive;
    }
    save();
    if (oracle_.relay_at) oracle_.relay_at = now_;
    held_ = false;
    answers.push_back(event::Relayed{});
  }

  void act(const action::LookForHandlers&, std::deque<Event>& answers) {
    demand(held_, "handlers are looked for only while a notice is held");
    demand(now_ < hold_until_ + kLateWake + 1ms || oracle_.excused, "a hold has an end");
    if (imports_until_ <= now_ && trainer_.alive) return deliver(answers);
    answers.push_back(event::Relayed{.told = told_, .waiting = true});
  }

  void act(const action::EndHold& end, std::deque<Event>& answers) {
    demand(held_ && now_ >= hold_until_, "no hold is ended before its time");
    demand(end.advice == advised_now_ || oracle_.excused, "nobody is ended for advice");
    if (!end.advice && !gives_up_ && trainer_.alive) return deliver(answers);
    held_ = false;
    // With the trainer gone its leftovers may be swept before the answer is heard.
    if (oracle_.relay_at && trainer_.alive) oracle_.relay_at = now_;
    if (!told_ && trainer_.alive) leave_episode();
    answers.push_back(event::Relayed{.told = told_, .waiting = false});
  }

  void learn_told(const Deadline& told) {
    oracle_.learn(told.at, told.certainty == Certainty::fact, policy_.margin, now_);
  }

  void save() {
    if (ignores_notice_) return;
    trainer_.dies_at = std::min(trainer_.dies_at, now_ + save_time_);
    for (Process& other : others_) {
      if (other.notified) other.dies_at = std::min(other.dies_at, now_ + dice_.up_to(save_time_));
    }
  }

  void act(const action::Pass&, std::deque<Event>&) {
    demand(trainer_.alive, "only a living trainer is passed signals");
  }

  void act(const action::Climb& climb, std::deque<Event>&) {
    demand(climb.signal != SIGKILL, "KILL is for the whole tree");
    demand(oracle_.relay_at.has_value(), "rungs come after a relay");
  }

  void act(const action::EndStragglers&, std::deque<Event>&) {
    demand(!trainer_.alive, "stragglers are what the trainer left behind");
    demand(look().notified == 0 || !oracle_.relay_at,
           "no process that got the notice is ended as a straggler");
    demand(policy_.stragglers.has_value(), "--stragglers leave leaves them");
    for (Process& other : others_) {
      if (dice_.one_in(2)) other.dies_at = std::min(other.dies_at, now_ + dice_.up_to(1s));
    }
    stragglers_since_ = now_;
  }

  void act(const action::KillTree&, std::deque<Event>& answers) {
    if (!killed_) check_first_kill();
    killed_ = true;
    const Instant dead = now_ + dice_.up_to(20ms);
    if (trainer_.killable) trainer_.dies_at = std::min(trainer_.dies_at, dead);
    for (Process& other : others_) {
      if (other.killable) other.dies_at = std::min(other.dies_at, dead);
    }
    answers.push_back(look());
  }

  void check_first_kill() {
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
  void watch_the_clock() {
    if (finished_ || killed_ || oracle_.excused || !oracle_.relay_at) return;
    if (machine_.phase() != Phase::draining) return;
    const auto instant = oracle_.kill_instant(policy_);
    demand(!instant || now_ < *instant + kLateWake + 1ms, "never KILL later than that");
  }

  void act(const action::LookAtTree&, std::deque<Event>& answers) { answers.push_back(look()); }

  void act(const action::Finish&, std::deque<Event>&) {
    finished_ = true;
    if (machine_.facts().ending.kind == Ending::Kind::never_started) return;
    if (!policy_.stragglers && !killed_ && (look().notified == 0 || !oracle_.relay_at)) return;
    for (const Process& other : others_) {
      demand(!lives(other) || !other.killable, "never done while a child that can be killed lives");
    }
    demand(!lives(trainer_), "never done while the trainer lives");
  }

  Dice dice_;
  Instant now_;
  Policy policy_;
  Supervision machine_;
  Process trainer_;
  std::deque<Process> others_;
  Oracle oracle_;
  Nanos save_time_{0};
  Signal last_signal_ = 0;
  Verdict verdict_ = Verdict::ignored;
  int judged_ = 0;
  int outside_left_ = 30;
  bool relays_to_others_ = false;
  Instant imports_until_{};  // before that nobody can take a notice that can be held
  Instant hold_until_{};
  bool gives_up_ = false;  // --no-handler skip
  bool held_ = false;
  bool told_ = false;
  bool took_the_place_ = false;
  bool advised_now_ = false;
  bool ignores_notice_ = false;
  bool advised_ = false;
  bool killed_ = false;
  bool finished_ = false;
  Reports reports_;
  std::optional<Instant> stragglers_since_;
  std::string broken_;
};

}  // namespace

TEST_CASE("every promise holds over random schedules") {
  if (const char* seed = std::getenv("SEED")) {
    CHECK(World(std::strtoull(seed, nullptr, 10)).run() == "");
    return;
  }
  const std::uint64_t schedules = std::getenv("PW_FULL") != nullptr ? 2'000'000 : 100'000;
  for (std::uint64_t seed = 1; seed <= schedules; ++seed) {
    const std::string broken = World(seed).run();
    if (!broken.empty()) {
      FAIL("SEED=" << seed << " breaks: " << broken);
    }
  }
  MESSAGE(schedules << " schedules");
}
