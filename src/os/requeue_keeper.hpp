#pragma once
#include <optional>
#include <string>

#include "core/loop_guard.hpp"
#include "core/run_key.hpp"
#include "os/aside.hpp"
#include "os/requeue_marker.hpp"

namespace pw {

/// All that a requeue reads and writes on a disk, by a process of its own (os/aside): whoever asks
/// never hangs, and gives up when it likes. Orders are worked off one after the other, each gets
/// one Answer, in that order; one that hangs keeps the later ones from being answered. Started when
/// the first notice is there, after the relay; ends with us, also in the middle of an order.
class RequeueKeeper {
 public:
  struct Place {
    std::string state;  ///< os/state_folder's
    RunKey run;
    std::string host;
    std::string progress_file;  ///< --progress-file; empty: not asked
    std::string kill_switch;    ///< --kill-switch; empty: not asked
  };
  enum class Order { look, claim, note, done, withdraw };
  struct Answer {
    Order to = Order::look;
    std::string trouble;  ///< for the log; empty: none. After a look the rest holds all the same
    std::optional<RequeueHistory> history;        ///< look
    std::optional<Progress> progress;             ///< look
    KillSwitch kill_switch = KillSwitch::absent;  ///< look
    /// claim; nothing if there was trouble: then no marker guards this requeue.
    std::optional<RequeueMarker::Claimed> claimed;
    std::string owner;  ///< claim: of the one that was found
  };
  static Result<RequeueKeeper> start(const Place& place);

  // None of these blocks.
  void look();                                 ///< history, progress and kill switch
  void claim(std::optional<Nanos> job_began);  ///< before scontrol; os/requeue_marker
  void note(const RequeueHistory& history);    ///< before scontrol: we may not live long after it
  void done();
  void withdraw();

  /// The next one, if it is there by `until`.
  std::optional<Answer> answer(Instant until);
  bool over() const { return aside_.over(); }
  int fd() const { return aside_.fd(); }
  ProcessId helper() const { return aside_.id(); }  ///< not of the trainer's tree

  /// The orders given so far are worked off by `limit`; what hangs is left to itself.
  void close(Instant limit);

 private:
  explicit RequeueKeeper(Aside aside) : aside_(std::move(aside)) {}
  void order(Order what, const std::string& text = "");
  Aside aside_;
};

}  // namespace pw
