#pragma once
#include <optional>
#include <string>

#include "core/claim.hpp"
#include "core/run_key.hpp"
#include "os/note_folder.hpp"

namespace pw {

/// That a run of a job is requeued by one process only, and once: notes `<cluster>.<job>.<restart>`
/// in `<state>/requeue`, `.2` and so on after an owner that is proven dead, each made by whoever is
/// first (os/note_folder). Set before `scontrol requeue`. os/requeue_keeper calls it, in a process
/// of its own, since it hangs where the disk does.
class RequeueMarker {
 public:
  enum class Claimed { ours, another_trying, done_already };
  struct Answer {
    Claimed claimed;
    std::string owner;  ///< of the one that was found: "pid 4711 on n1"; empty: not readable
  };

  /// `us` does the requeue.
  static Result<RequeueMarker> open(const std::string& state, const RunKey& run, Claimant us);

  /// `job_began` is when this run of the job was started, since 1970, if that is known: a marker
  /// that is older by more than a day is of another job with that number.
  Result<Answer> claim(std::optional<Nanos> job_began);
  /// Atomically; the run counts as requeued from then on.
  Result<void> done();
  /// As if it had not been claimed: the next one may. Not by removing it, which would leave a hole
  /// before one that came after it.
  Result<void> withdraw();

  /// Markers of 30 days ago go; after claim(), bounded.
  void prune();

 private:
  RequeueMarker(NoteFolder folder, std::string name, Claimant us)
      : folder_(std::move(folder)), name_(std::move(name)), us_(std::move(us)) {}
  std::string note(int turn) const;
  bool is_over(const std::string& note, const Claim& claim, std::optional<Nanos> job_began);
  Result<void> say(Claim::State state);

  NoteFolder folder_;
  std::string name_;
  Claimant us_;
  int turn_ = 0;  // ours; 0: none
};

}  // namespace pw
