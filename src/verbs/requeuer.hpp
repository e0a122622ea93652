#pragma once
#include <optional>
#include <string>

#include "core/exit_status.hpp"
#include "core/loop_guard.hpp"
#include "core/requeue.hpp"
#include "core/settings.hpp"
#include "os/requeue_keeper.hpp"
#include "os/signal_fd.hpp"
#include "slurm/environment.hpp"
#include "verbs/chronicle.hpp"

namespace pw {

/// Brings a preempted job back, at the end of its run: asks slurmctld once more why it ends,
/// decides (core/requeue), and calls scontrol, exits with RequeueExit's code or stays until Slurm
/// ends the job. By one process per job and run: the batch process or rank 0. What lies on a disk
/// is a keeper's, so nothing here waits longer than it says.
class Requeuer {
 public:
  struct Run {
    RunFacts facts;  ///< work_done counts
    bool preempted = false;
    Signal signal = 0;  ///< the notice
    NoticeSource source = NoticeSource::signal;
    EndCause at_notice = EndCause::unknown;
    std::optional<std::int64_t> end_in_grace;
    std::optional<Nanos> ran;         ///< from the start to the notice; nothing: never started
    std::optional<Instant> deadline;  ///< Slurm's SIGKILL
  };
  Requeuer(const Settings& settings, const SlurmJob& job, const std::string& host,
           const SignalFd& signals, Chronicle& chronicle);

  /// Whether it is for this process to do.
  static bool is_ours(const Settings& settings, const std::optional<SlurmJob>& job) {
    return settings.requeue != RequeueMode::none && job && (job->step.empty() || job->rank == 0);
  }

  /// The exit status that the run ends with, if it is another one because of RequeueExit.
  std::optional<int> end(const Run& run);

 private:
  void ask(const Run& run);
  std::optional<RequeueKeeper::Answer> kept(RequeueKeeper::Order order);
  void judge_loop(const Run& run);
  std::optional<int> carry_out(const RequeueDecision& decision, const Run& run);
  std::optional<Nanos> job_began() const;
  bool claim();
  RequeueDecision call(const Run& run);
  std::optional<std::string> call_once();
  void linger();
  std::optional<int> tell(const RequeueDecision& decision);

  const Settings& settings_;
  const SlurmJob& job_;
  std::string host_;
  const SignalFd& signals_;
  Chronicle& chronicle_;
  std::optional<RequeueKeeper> keeper_;
  RequeueFacts facts_;
  std::string count_;  ///< "3 of 50"
  std::optional<Instant> deadline_;
};

}  // namespace pw
