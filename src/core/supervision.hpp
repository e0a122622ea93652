#pragma once
#include <optional>
#include <variant>
#include <vector>

#include "core/deadline.hpp"
#include "core/exit_status.hpp"
#include "core/hold.hpp"
#include "core/known_end.hpp"
#include "core/ladder.hpp"
#include "core/notice_source.hpp"
#include "core/signal.hpp"
#include "core/time.hpp"
#include "core/verdict.hpp"
#include "core/watchdog.hpp"

namespace pw {

/// A notice whose end is further away than this is advice: relayed, no clock, no episode.
inline constexpr Nanos kAdviceBeyond = std::chrono::minutes(30);
/// The same advice again within this time is one.
inline constexpr Nanos kAdviceRepeat = Seconds(5);
/// --grace auto where no deadline is known and no scheduler brings its own end.
inline constexpr Nanos kGraceElsewhere = Seconds(60);
/// Woken later than this after a rung was due, we were suspended: the rungs keep their lengths.
inline constexpr Nanos kLateWake = Seconds(1);
/// Typed INTs: the third within this time is SIGKILL.
inline constexpr Nanos kTypedWindow = Seconds(5);
/// A wandb agent that is told when its run is gone asks for the next one 0.25 s later at the
/// soonest (0.31.0: it restarts its wandb-core before).
inline constexpr Nanos kAgentLook = Millis(25);
/// Where Slurm signals every process itself, the trainer may die of a notice before we have got our
/// own copy of it: this long what is left of the tree is not asked to end (proctrack/linuxproc).
inline constexpr Nanos kSameNotice = Seconds(1);
/// What SIGKILL has not ended after this is named, and we leave.
inline constexpr Nanos kGiveUpAfter = Seconds(10);

/// The settings that the state machine needs; constant during a run.
struct Policy {
  SignalSet notices{SIGUSR1, SIGUSR2, SIGTERM, SIGINT};
  SignalMap signal_map;
  SignalSet withheld;  ///< what the command must not get (core/srun_rule), unless the map says so
  LadderPlan ladder;
  Schedule schedule;
  Nanos margin = Seconds(2);
  std::optional<Nanos> stragglers = Seconds(5);
  Nanos hold = Seconds(20);  ///< USR1, USR2 and RT notices wait this long for a handler
  /// EXTEND_TIMEOUT_USEC never moves SIGKILL further than this from the relay without a deadline.
  Nanos max_grace = std::chrono::minutes(10);
  std::optional<Nanos> watchdog;  ///< a trainer that has reported once does so again within this
};

enum class Cause {
  sent,       ///< by a process: kill, sigqueue, slurmstepd
  typed,      ///< by the kernel at our terminal: the trainer has got it already
  ourselves,  ///< by what we did ourselves (PIPE, XFSZ)
};
/// Whether Slurm has signalled the trainer itself (proctrack/linuxproc and pgid): then no 2nd copy.
enum class Carrier { us, slurm };

namespace event {
struct SignalCame {
  Signal signal;
  Cause cause = Cause::sent;
  Payload payload = {};
  Carrier carrier = Carrier::us;
};
/// A notice without a signal: --notice-after, --notice-before-end, --cloud.
struct NoticeGiven {
  NoticeSource source;
  Signal as;                          ///< what the trainer gets: --notice-as
  std::optional<Deadline> told = {};  ///< when the scheduler kills
  std::optional<Nanos> grace = {};    ///< unless --grace says it; where no scheduler kills
  bool advice = false;                ///< the trainer is told, and nothing ends because of it
};
/// A cloud takes back what it announced. Nobody is killed for it: an episode of the cloud's own is
/// over, and the next notice is a new one; one that others ask for, too, goes on by their clock.
/// Who has been told may be saving: who leaves before the end that was named was preempted.
struct NoticeWithdrawn {
  std::optional<Deadline> stands = {};  ///< what another watcher of the machine goes on saying
};
struct WaitBegan {};  ///< start control: the trainer is not to be started yet
struct WaitOver {};
struct TrainerStarted {};
struct TrainerEnded {
  Ending ending;
};
/// The answer to LookAtTree and KillTree: living processes, the trainer not counted.
struct TreeSeen {
  int notified = 0;  ///< they got the notice, or a rung because of it
  int others = 0;
};
/// The answer to Relay, LookForHandlers and EndHold.
struct Relayed {
  bool told = true;      ///< somebody has been told by now
  bool waiting = false;  ///< the notice is held for somebody
  bool agents_pending = false;
};
/// The answer to LookAtAgents.
struct AgentsSeen {
  bool pending = false;  ///< an agent is to be told when its run is gone
};
struct TrainerReady {};  ///< READY=1: somebody may be able to take a held notice now
struct TreeChanged {};   ///< a process of the tree has ended
struct TimeCame {};      ///< next_wake() has passed
struct DeadlineLearned {
  Deadline deadline;
  bool final = false;  ///< the run is being ended, however far away that is: no advice
};
struct GraceAsked {  ///< EXTEND_TIMEOUT_USEC: the current rung should last until now + `more`
  Nanos more;
};
struct Reported {};      ///< WATCHDOG=1: the trainer works
struct HangReported {};  ///< WATCHDOG=trigger: it says itself that it does not
struct Cancelled {};     ///< the run is to be stopped, by those who steer it, and not to come back
}  // namespace event
using Event =
    std::variant<event::SignalCame, event::NoticeGiven, event::NoticeWithdrawn, event::WaitBegan,
                 event::WaitOver, event::TrainerStarted, event::TrainerEnded, event::TreeSeen,
                 event::Relayed, event::AgentsSeen, event::TrainerReady, event::TreeChanged,
                 event::TimeCame, event::DeadlineLearned, event::GraceAsked, event::Reported,
                 event::HangReported, event::Cancelled>;

namespace action {
struct Judge {  ///< for log and journal only
  Signal signal;
  Verdict verdict;
  NoticeSource source = NoticeSource::signal;
  Signal relayed_as = 0;              ///< the signal as mapped, if it was relayed or passed
  std::optional<Nanos> left = {};     ///< until the deadline
  std::optional<Nanos> kill_in = {};  ///< until our SIGKILL
  std::optional<Nanos> hold = {};     ///< for how long it may be held
};
struct Relay {  ///< the notice, to those that --to names; they count as notified; answer: Relayed
  enum class For {
    everyone,          ///< a new notice
    who_was_not_told,  ///< it takes the place of one that is held
  };
  Signal signal;
  Payload payload;
  Carrier carrier;
  For whom = For::everyone;
  NoticeSource source = NoticeSource::signal;
};
struct LookForHandlers {};  ///< who can take the held notice by now gets it; answer: Relayed
struct EndHold {  ///< what --no-handler says, to those that it is held for; answer: Relayed
  bool advice;    ///< nobody is ended for advice
};
struct LookAtAgents {};             ///< whose run is gone gets its signal; answer: AgentsSeen
struct TellHang {                   ///< for log and journal only, after the relay of our own TERM
  std::optional<Nanos> silent_for;  ///< since the last report; nothing: it said so itself
  Nanos kill_in;
};
struct Pass {  ///< a signal that is no notice, to the trainer alone
  Signal signal;
  Payload payload;
};
enum class Whom {
  notified,        ///< every living process that was notified
  who_catches_it,  ///< of those, who would not simply die of it: our own TERM must not cut a save
};
struct Climb {  ///< a rung
  Signal signal;
  Whom whom;
};
struct EndStragglers {};  ///< TERM to what is left of the tree, naming it
struct KillTree {};       ///< one sweep of SIGKILL over the tree; answer with TreeSeen
struct LookAtTree {};     ///< answer with TreeSeen
struct Finish {};         ///< the last action of a run
}  // namespace action
using Action =
    std::variant<action::Judge, action::Relay, action::LookForHandlers, action::EndHold,
                 action::LookAtAgents, action::TellHang, action::Pass, action::Climb,
                 action::EndStragglers, action::KillTree, action::LookAtTree, action::Finish>;

enum class Phase { starting, waiting, running, draining, sweeping, done };

/// The heart: what happens to one run, as a pure state machine. Called by the shell for every
/// event; knows no clock, no file, no process. Never asks for SIGKILL before min(grace, deadline -
/// margin) unless typed INTs ask for it, never moves that instant later but for a fact, EXTEND or a
/// late wake-up, never holds a notice past a quarter of the budget, never finishes while a process
/// that can be killed lives. With a watchdog, a trainer that has reported and stops doing so is
/// given TERM as by a notice, and the ladder runs; in an episode it need not report, and the ending
/// of a hung one is no preemption, nor that of a cancelled run. While a run waits for its start,
/// whatever would end a process ends the run, and nothing is done before the start (tests/sim).
class Supervision {
 public:
  explicit Supervision(Policy policy) : policy_(std::move(policy)), watchdog_(policy_.watchdog) {}

  /// The actions that `event` at `now` calls for, in the order in which to do them; valid until the
  /// next step.
  const std::vector<Action>& step(Instant now, const Event& event);

  /// When step() wants a TimeCame, if nothing else happens before.
  std::optional<Instant> next_wake() const;

  Phase phase() const { return phase_; }
  std::optional<Instant> kill_at() const { return ladder_.kill_at(); }
  std::optional<Deadline> deadline() const { return end_.deadline(); }
  std::optional<Instant> episode_at() const { return episode_at_; }
  bool killed_trainer() const { return killed_trainer_; }
  /// Who has been told may be saving because of it: in an episode, and after a withdrawn one until
  /// the end that it had named.
  bool saving(Instant now) const {
    return phase_ == Phase::draining || (withdrawn_end_ && now < *withdrawn_end_);
  }
  std::optional<Instant> withdrawn_end() const { return withdrawn_end_; }
  bool hung() const { return hung_; }  ///< the watchdog began the episode; no notice came since
  bool cancelled() const { return cancelled_; }
  bool killed_by_hand() const { return killed_by_hand_; }  ///< a typed INT asked for SIGKILL
  RunFacts facts() const;

 private:
  void on(const event::SignalCame& came);
  void on(const event::NoticeGiven& given);
  void on(const event::WaitBegan&) { phase_ = Phase::waiting; }
  void on(const event::WaitOver&) { phase_ = Phase::starting; }
  void on(const event::TrainerStarted&);
  void on(const event::TrainerEnded& ended);
  void on(const event::TreeSeen& seen);
  void on(const event::Relayed& relayed);
  void on(const event::AgentsSeen& seen) {
    agents_look_at_ = seen.pending ? std::optional(now_ + kAgentLook) : std::nullopt;
  }
  void on(const event::TrainerReady&);
  void on(const event::TreeChanged&);
  void on(const event::TimeCame&) {}
  void on(const event::DeadlineLearned& learned);
  void on(const event::NoticeWithdrawn& withdrawn);
  void on(const event::GraceAsked& asked);
  void on(const event::Reported&) {
    excused_until_.reset();
    watchdog_.report(now_);
  }
  void on(const event::HangReported&) {
    if (watchdog_.asked_for() && watched()) end_hung({});
  }
  void on(const event::Cancelled&);

  void notice(const event::SignalCame& came);
  void heed(const event::SignalCame& came, Signal becomes, const std::optional<Deadline>& told);
  void forestall(const event::SignalCame& came);
  void open_episode(Signal relayed);
  void begin_episode(const event::SignalCame& came, Signal mapped);
  void advise(const event::SignalCame& came, Signal mapped);
  void begin_with(const event::SignalCame& came, Signal mapped, action::Relay::For whom);
  void take_its_place(const event::SignalCame& came, Signal mapped);
  Nanos hold_limit() const;
  void advance_hold();
  void leave_episode();
  void turn_into_advice();
  void cover(const event::SignalCame& came, const std::optional<Deadline>& told);
  void go_by(Deadline stands);
  bool is_advice() const;
  bool others_stand() const;
  void hand_over();
  void take_back();
  void remember_who_was_told();
  void go_on_saving();
  void forget_end() { end_ = end_by_others_ = KnownEnd(); }
  void note_advice(Signal signal, Instant at);
  bool repeats_advice(Signal signal) const;
  void typed(Signal signal);
  void pass(const event::SignalCame& came);
  void judge(Signal signal, Verdict verdict, Signal relayed_as = 0);
  bool before_start() const { return phase_ == Phase::starting || phase_ == Phase::waiting; }
  bool is_for_those_left(const event::SignalCame& came) const;
  void join_late(const event::SignalCame& came, Signal becomes,
                 const std::optional<Deadline>& told);
  bool nobody_left() const {
    return phase_ == Phase::sweeping || (ending_ && phase_ != Phase::draining);
  }
  bool watched() const { return phase_ == Phase::running && !ending_; }
  void watch();
  void end_hung(std::optional<Nanos> silent_for);
  void end_by_ourselves();

  bool adopt(const Deadline& news);
  std::optional<Instant> planned_kill() const;
  void allow(Nanos more, std::optional<Instant> limit);
  void recover_from_late_wake();
  void climb_due();
  void climb(Signal signal, action::Whom whom);
  void look_at_agents() {
    agents_look_at_ = now_ + kAgentLook;
    actions_.push_back(action::LookAtAgents{});
  }
  void kill_tree();
  void sweep(int left);
  void look();
  void repeat_looks();
  void finish();
  Signal mapped(Signal signal) const;

  Policy policy_;
  Phase phase_ = Phase::starting;
  Instant now_{};
  std::vector<Action> actions_;
  NoticeSource source_ = NoticeSource::signal;  // of what is judged
  // For the trainer, once it is there.
  std::vector<std::variant<event::SignalCame, event::NoticeGiven>> kept_;

  std::optional<Ending> ending_;
  bool notice_relayed_ = false;
  bool ended_in_episode_ = false;
  bool killed_trainer_ = false;
  bool killed_by_hand_ = false;
  SignalSet typed_;
  SignalSet advised_;
  std::vector<std::pair<Signal, Instant>> advice_times_;

  std::optional<Instant> episode_at_;                // the notice
  Signal episode_notice_ = 0;                        // its signal; 0: it was none
  SignalSet sent_;                                   // in it, to whom it concerns
  bool told_ = false;                                // somebody got it
  std::optional<event::SignalCame> covered_term_;    // while another notice was the episode's
  std::optional<event::NoticeGiven> covered_limit_;  // likewise
  Instant relay_at_{};  // the ladder's zero: the notice, or the end of the hold
  std::optional<Hold> hold_;
  std::optional<Instant> agents_look_at_;
  KnownEnd end_;
  KnownEnd end_by_others_;          // without what clouds say
  Nanos allowance_{0};              // EXTEND and late wake-ups
  std::optional<Nanos> own_grace_;  // of an episode that we began ourselves
  bool hung_ = false;
  bool hung_before_cloud_ = false;       // and a cloud's notice came since
  bool by_cloud_ = false;                // the episode
  std::optional<Instant> lead_since_;    // --lead counts from there: from no word of a cloud's
  std::optional<Instant> not_before_;    // SIGKILL, soon after a withdrawal
  std::optional<Instant> others_since_;  // they ask for the end, in an episode by a cloud
  bool being_ended_ = false;             // by Slurm
  std::optional<Instant> cloud_end_;
  std::optional<Instant> withdrawn_end_;  // the last one that a cloud has taken back
  bool cancelled_ = false;
  Watchdog watchdog_;
  std::optional<Instant> excused_until_;  // it may be saving in silence
  Ladder ladder_;
  std::vector<Instant> typed_interrupts_;

  bool killing_ = false;
  bool giving_up_ = false;                // the last look
  std::optional<Instant> stragglers_at_;  // when they are asked to end
  std::optional<Instant> sweep_kill_at_;
  std::optional<Instant> give_up_at_;
  std::optional<Instant> look_at_;
  Nanos look_interval_{0};
};

}  // namespace pw
