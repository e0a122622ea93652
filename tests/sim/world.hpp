#pragma once
#include <deque>
#include <optional>
#include <string>

#include "core/supervision.hpp"
#include "dice.hpp"
#include "oracle.hpp"

namespace pw {

struct Process {
  bool alive = true;
  bool notified = false;
  bool killable = true;
  Instant dies_at = Instant::max();
};

/// One random schedule: a trainer and its tree, signals and deadlines from outside, and the state
/// machine among them, held against its promises after every step.
class World {
 public:
  explicit World(std::uint64_t seed);
  /// The first promise that was broken; empty if all held.
  std::string run();

 private:
  void demand(bool holds, const char* promise);

  // What happens (world.cpp).
  void wait_for_start();
  void from_outside_early();
  void signal_early();
  void start();
  void next_event();
  void be_late();
  void die(Process& process);
  void from_outside();
  void learn();
  void turn_into_advice();
  void leave_episode();
  void report();
  void cancel();
  void own_limit();
  void cloud_notice();
  void withdraw();
  bool others_stand() const;
  void hand_over();
  void go_on_saving();
  void go_on_without_cloud(const std::optional<Deadline>& stands);
  std::optional<Deadline> told_by_cloud() const;
  void check_hang();
  void watch_the_reports();
  void extend();
  void type_interrupt();
  void signal();
  void reread(Signal signal);
  void check_notice(Signal signal, Phase phase);

  // What the machine asks for, and the promises that are checked then (promises.cpp).
  void happen(const Event& event);
  bool lives(const Process& process) const;
  event::TreeSeen look() const;
  void act(const action::Judge& judge, std::deque<Event>&);
  void act(const action::TellHang&, std::deque<Event>&);
  void act(const action::Relay& relay, std::deque<Event>& answers);
  void begin_oracle();
  void hold(std::deque<Event>& answers);
  void deliver(std::deque<Event>& answers);
  event::AgentsSeen agents();
  void act(const action::LookAtAgents&, std::deque<Event>& answers);
  void act(const action::LookForHandlers&, std::deque<Event>& answers);
  void act(const action::EndHold& end, std::deque<Event>& answers);
  void learn_told(const Deadline& told);
  void save();
  void act(const action::Pass&, std::deque<Event>&);
  void act(const action::Climb& climb, std::deque<Event>&);
  void act(const action::EndStragglers&, std::deque<Event>&);
  void act(const action::KillTree&, std::deque<Event>& answers);
  void check_first_kill();
  void watch_the_clock();
  void act(const action::LookAtTree&, std::deque<Event>& answers);
  void act(const action::Finish&, std::deque<Event>&);

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
  bool agent_told_last_ = false;
  Instant agents_run_ends_{};
  std::optional<Instant> agents_look_by_;
  bool held_ = false;
  bool told_ = false;
  bool took_the_place_ = false;
  bool advised_now_ = false;
  bool cancelling_ = false;
  Signal episode_signal_ = 0;                    // the notice that began it
  bool covered_term_ = false;                    // and a TERM came in it
  bool by_slurm_ = false;                        // the last signal was sent to every process
  bool term_follows_ = false;                    // which its episode had covered
  bool limited_ = false;                         // our own time limit is just over
  std::optional<event::NoticeGiven> announced_;  // a cloud has just said so
  bool by_cloud_ = false;                        // began the episode
  std::optional<Instant> others_since_;          // they ask for the end, too
  std::optional<Instant> lead_since_;            // --lead counts from there
  bool handing_over_ = false;                    // to them
  bool being_ended_ = false;                     // by Slurm
  bool covered_limit_ = false;                   // our own time limit was over in an episode
  Instant cloud_end_{};                          // the last one that was named
  Instant withdrawn_until_{};                    // until then who was told may save
  bool cancelled_ = false;
  bool ignores_notice_ = false;
  bool advised_ = false;
  bool killed_ = false;
  bool finished_ = false;
  bool started_ = false;
  Reports reports_;
  std::optional<Instant> stragglers_since_;
  std::string broken_;
};

}  // namespace pw
