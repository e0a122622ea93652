#pragma once
#include <optional>
#include <string>

#include "core/supervision.hpp"
#include "os/signal_fd.hpp"
#include "verbs/chronicle.hpp"
#include "verbs/overseers.hpp"
#include "verbs/trainer_tree.hpp"

namespace pw {

/// Says in the log and the journal what happened (docs/journal.md); decides nothing.
class Narrator {
 public:
  explicit Narrator(Chronicle& chronicle) : chronicle_(chronicle) {}

  struct Start {
    std::string command;
    int pid = 0;
    ProcessGroup group = ProcessGroup::own;
    std::string budget;
    std::string profile;  ///< empty: none
    std::string profile_remark;
  };
  void started(const Start& start);
  void not_started(int status, Outcome outcome = Outcome::failed);
  /// `held_for`: who is waited for until the notice can be given to it.
  void of_cloud(std::string words) { cloud_ = std::move(words); }  ///< the next notice is
  void judged(const action::Judge& judged, const CaughtSignal& caught, const Recipients& sent,
              const std::vector<ProcessEntry>& held_for);
  /// A held notice has come to somebody.
  void delivered(const Recipients& sent);
  /// Agents that are kept from starting another run.
  void agents_stopped(const Recipients& agents);
  void nobody_told();
  void hung(const action::TellHang& hang, const Recipients& sent);
  void cancelled(const std::string& reason, const Recipients& sent, std::optional<Nanos> kill_in);
  void told_by_file(const std::string& path);
  void sent(Signal signal, const char* why, const Recipients& recipients);
  void climbed(Signal signal, const Recipients& recipients, std::optional<Nanos> left);
  /// What was done to launchers above those who got the notice.
  void overseen(const Overseers::Deeds& deeds);
  void stragglers(const Recipients& recipients, Nanos grace);
  void killed(const Recipients& recipients, const Supervision& run, std::optional<Nanos> after);
  void unkillable(const ProcessEntry& entry);
  void trainer_ended(const Ending& ending, bool killed_by_us, std::optional<Nanos> after);
  void ended(const ExitStatus& status, const Supervision& run, Instant now, int left_behind);
  /// Why the run is to end, by slurmctld.
  void cause(std::string_view word, std::optional<Nanos> left);
  /// The last line of the journal.
  void over(const ExitStatus& status, int left_behind);

 private:
  void journal_sent(Signal signal, const char* why, std::span<const Recipient> recipients);
  void journal_signal(const action::Judge& judged, const CaughtSignal& caught,
                      const std::string& sender_name);
  Chronicle& chronicle_;
  std::string cloud_;
};

}  // namespace pw
