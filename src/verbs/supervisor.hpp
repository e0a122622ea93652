#pragma once
#include <list>
#include <optional>
#include <string>

#include "core/batch_doubt.hpp"
#include "core/queued_notice.hpp"
#include "core/supervision.hpp"
#include "os/pid_file.hpp"
#include "os/rank_wait.hpp"
#include "os/signal_fd.hpp"
#include "slurm/environment.hpp"
#include "slurm/step_signal.hpp"
#include "verbs/chronicle.hpp"
#include "verbs/cloud_watch.hpp"
#include "verbs/courier.hpp"
#include "verbs/end_watch.hpp"
#include "verbs/hooks.hpp"
#include "verbs/job_look.hpp"
#include "verbs/job_watch.hpp"
#include "verbs/narrator.hpp"
#include "verbs/overseers.hpp"
#include "verbs/service_voice.hpp"
#include "verbs/start_gate.hpp"
#include "verbs/start_plan.hpp"
#include "verbs/trainer_tree.hpp"
#include "verbs/trainer_voice.hpp"

namespace pw {

/// Carries out what the state machine decides, for one run: signals in, actions out, one loop, one
/// blocking call, one thread. Acts first, writes after.
class Supervisor {
 public:
  struct Plan {
    Policy policy;
    Settings settings;
    Launch launch;
    SignalSet deaf_to;    ///< found ignored: no notices, not relayed
    std::string profile;  ///< for the start line; empty: none
    std::string profile_remark;
    bool terminal = false;
    std::optional<SlurmJob> job;
    std::string host;
    std::vector<ProcessId> foreign;   ///< children before the start
    PidFile* pid_file = nullptr;      ///< --pid-file, claimed
    PidFile* registration = nullptr;  ///< --register
    StartPlan start;
  };
  Supervisor(Plan plan, SignalFd signals, Chronicle& chronicle);

  /// Starts the trainer and returns when all is over. A failed launch is the caller's to tell.
  boost::system::result<ExitStatus, LaunchFailure> run();

 private:
  std::optional<ExitStatus> wait_for_start();
  void wait_before_start(std::vector<int> fds, std::optional<Instant> wake);
  Instant keep_manager_waiting();
  void stagger();
  StartGate::Verdict pass_gate();
  ExitStatus end_at_gate(StartGate::Verdict verdict);
  ExitStatus end_switched_off();
  ExitStatus end_unstarted(const ExitStatus& status);
  void hear_gate();
  void take(const CaughtSignal& caught);
  event::SignalCame judge_sender(const CaughtSignal& caught) const;
  bool may_reach_trainer(const CaughtSignal& caught) const;
  bool in_batch_doubt(const CaughtSignal& caught);
  void settle_batch_term(const CaughtSignal& term, std::optional<Carrier> carrier = {});
  void happen(const Event& event);
  void begin(pid_t trainer);
  void reap();
  void reap_ended();
  void stop_as_well();
  void end_trainer();
  bool is_helper(int pid) const;
  std::optional<Instant> next_wake() const;
  std::vector<int> who_may_speak() const;
  void wait();
  void hear_trainer();
  void trainer_ready(const char* by);
  void advance_helpers();
  void hear_pid_file(PidFile& file);
  int count_left_behind();
  std::vector<const Helper*> askers() const;
  void look_at_job();
  void watch_the_end();
  void begin_own_limit();
  std::optional<Instant> next_own_notice() const;
  void advance_own_notices();
  void watch_the_cloud();
  void hear_cloud();
  void take_from_daemon(const QueuedNotice& notice);
  void speak_for_the_unit();
  void tell_started();
  void tell_manager();
  void give_notice(const event::NoticeGiven& notice);
  void take_from_cloud(const CloudWatch::Notice& notice);
  void take_withdrawal(std::optional<Instant>& of, std::optional<Instant> stands);
  void forget_notice();
  void tell_that_it_goes_on();
  void learn_who_stands();
  void ask_slurm(const action::Judge& judge, JobWatch::Notice notice);
  Nanos apart_from_other_ranks() const;
  void advance_job();
  void take_job_news(const JobWatch::News& news);
  void start_notice_hook();
  void run_notice_hook();
  bool stopped_by_kill_switch();
  bool work_is_done();
  void wait_for_ranks(Outcome outcome);
  void end_wait_for_ranks(RankWait& wait);
  bool told_below_us() const;
  bool stopped_working(const RunFacts& facts) const;
  void tell_why_it_stays_away();
  std::optional<int> requeue(const RunFacts& facts, const ExitStatus& status);
  ExitStatus finish();
  void close(const ExitStatus& status);

  void act(const action::Judge& judge);
  void act(const action::Relay& relay);
  void act(const action::LookForHandlers&);
  void act(const action::LookAtAgents&);
  void act(const action::EndHold& end);
  void act(const action::TellHang& hang);
  void act(const action::Pass& pass);
  void act(const action::Climb& climb);
  void act(const action::EndStragglers&);
  void act(const action::KillTree&);
  void act(const action::LookAtTree&);
  void act(const action::Finish&);

  void tell_notice(NoticeTeller::News news);
  Hooks::Notice facts_for_hooks(Signal signal, NoticeSource source) const;
  void correct_notice();
  void update_helpers();
  Courier& courier();
  void tell_name_trouble();
  void tell_agents(const Recipients& stopped);
  void later_round(const Courier::Round& round);
  void meet_overseers(const Recipients& sent, const std::vector<ProcessEntry>& waiting);
  void watch_overseers();
  std::optional<Nanos> time_left() const;

  Plan plan_;
  SignalFd signals_;
  Chronicle& chronicle_;
  Narrator narrator_;
  Hooks hooks_;
  TrainerVoice voice_;
  Supervision run_;
  std::optional<StartGate> gate_;
  std::optional<TrainerTree> tree_;
  Recipients agents_;               // told in the round that the next Judge reports
  std::optional<Courier> courier_;  // with --to handlers, from the first notice on
  Overseers overseers_;             // likewise
  Instant started_{};
  std::list<StepSignal> step_signals_;
  CaughtSignal caught_;                // the signal that is being worked on
  bool notice_withdrawn_ = false;      // the last one
  bool told_anew_ = false;             // the trainer, by a withdrawal
  bool rank_left_ = false;             // below a launcher that was kept still till the end
  bool cut_short_ = false;             // whoever hands out work was told to stop
  std::optional<Instant> more_asked_;  // of the manager, for a start that waits
  std::optional<Instant> cloud_end_;   // of the machine, by --cloud
  std::optional<Instant> daemon_end_;  // the same by `watch`
  NoticeSource episode_source_ = NoticeSource::signal;
  std::optional<action::Judge> covered_;      // the first of others, in an episode by a cloud
  std::optional<CaughtSignal> covered_term_;  // the last one
  CaughtSignal batch_term_;                   // the one that waits to be judged
  BatchDoubt batch_doubt_;
  Recipients recipients_;  // of the last relay or pass
  std::vector<ProcessEntry> held_for_;
  Hooks::Notice notice_;  // the first that was relayed
  std::vector<Event> answers_;
  pid_t own_pid_;
  std::optional<Ending> trainer_ending_;
  bool trainer_ended_ = false;
  bool killing_named_ = false;
  bool finished_ = false;
  std::optional<JobWatch> job_watch_;  // from the first notice on
  std::optional<EndCause> told_cause_;
  std::string told_trouble_;  // with asking Slurm
  std::optional<Instant> ask_due_;
  std::optional<Instant> last_term_;  // Slurm's, while we waited for the other ranks
  std::optional<Instant> hook_due_;   // on-notice waits for the cause
  std::optional<Instant> ready_at_;   // --ready D
  std::optional<Instant> limit_at_;   // --notice-after
  std::optional<EndWatch> end_watch_;
  std::optional<CloudWatch> cloud_;
  std::optional<ServiceVoice> service_;  // --service
  std::optional<JobLook> job_look_;
  bool ready_told_ = false;
};

}  // namespace pw
