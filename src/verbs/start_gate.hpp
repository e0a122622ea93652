#pragma once
#include <optional>
#include <string>

#include "os/aside.hpp"
#include "verbs/chronicle.hpp"
#include "verbs/gate_keeper.hpp"

namespace pw {

/// A run's side of its start gate: listens to its keeper, tells log and journal what it waits for,
/// and starts spread by the array alone where the gate cannot be used. Called by the Supervisor in
/// its one loop; never blocks longer than 200 ms, and 2 s when the trainer has ended,
/// whatever the gate's disk does.
class StartGate {
 public:
  struct Plan {
    GateKeeping keeping;
    bool required = false;          ///< --require-gate
    std::optional<Nanos> fallback;  ///< the delay without a gate; nothing: no place is known
    std::string costs;              ///< ", holding 1 GPU", or empty
  };
  StartGate(Plan plan, Chronicle& chronicle) : plan_(std::move(plan)), chronicle_(chronicle) {}

  void open();

  enum class Verdict { wait, start, stopped, cancelled, refused };
  /// What is known by now; to be asked when fd() is readable or wake() has come.
  Verdict advance();

  int fd() const { return keeper_ ? keeper_->fd() : -1; }
  std::optional<Instant> wake() const;
  std::optional<ProcessId> helper() const;

  /// A notice came while we waited: gives the place back, if that can be done in a moment.
  void leave();

  /// READY=1, or the time of --ready D: its start-up is over.
  void through();

  /// Once, after the start: the gate was cancelled, and with what words.
  std::optional<std::string> take_cancelled();

  /// The trainer has ended: what is still held is given back, if the disk answers within 2 s.
  void close();

 private:
  bool part(Nanos limit);
  void hear(const std::string& message);
  void tell_wait(const std::string& words);
  void fall_back(const std::string& why);
  void tell_followers_in(Nanos delay);
  void say(LogLevel level, const std::string& sentence);
  void end_wait(Verdict verdict, const char* how, const std::string& words = "");

  Plan plan_;
  Chronicle& chronicle_;
  std::optional<Aside> keeper_;
  Verdict verdict_ = Verdict::wait;
  Instant began_{};
  Instant heard_{};
  bool silence_told_ = false;
  std::optional<Instant> start_at_;  // without a gate
  std::optional<std::string> cancelled_;
  bool started_ = false;
};

}  // namespace pw
