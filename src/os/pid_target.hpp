#pragma once
#include <string>

#include "core/pid_file.hpp"
#include "core/process_tree.hpp"
#include "core/result.hpp"
#include "core/signal_state.hpp"
#include "os/fd.hpp"

namespace pw {

/// The very process that a PID file means, proven by core/pid_file's rules, held by a pidfd that
/// was opened before its start time was looked at. Without pidfds (before Linux 5.3, or forbidden)
/// the start time is looked at right before each signal: a moment stays.
class PidTarget {
 public:
  /// Signals nothing. The error is one line with the path; ESRCH in it: the process has gone.
  static Result<PidTarget> prove(const PidFileFacts& file, const Asker& asker);

  const ProcessId& id() const { return id_; }
  const std::string& name() const { return name_; }

  bool alive() const;
  bool stopped() const;

  /// What it would do with this signal now, seen once; two looks apart tell a short moment from
  /// what is meant (core/relay_course).
  Handling handling(Signal signal) const;

  /// 0 or errno.
  int send(Signal signal, const Payload& payload = {}) const;

  /// Readable when it ends; -1 where there are no pidfds.
  int fd() const { return pidfd_.get(); }

 private:
  PidTarget(ProcessId id, std::string name, Fd pidfd)
      : id_(id), name_(std::move(name)), pidfd_(std::move(pidfd)) {}
  ProcessId id_;
  std::string name_;
  Fd pidfd_;
};

/// The process that the trainer named in a file of its own, for `--target-pid-file`: the file is
/// read by a process of its own, so this never takes longer than until `limit`. Whether it is of
/// our tree is the caller's to ask; a loop that must not wait takes PidFileReading and prove().
Result<ProcessId> read_target_pid_file(const std::string& path, HostRule host_rule, Instant limit);

/// This host and this moment, for core/pid_file's rules.
Asker asker_here(HostRule host_rule);

/// What /proc knows of it for these rules; nothing where it shows no such process.
std::optional<ProcessFacts> process_facts(const ProcessId& process);

}  // namespace pw
