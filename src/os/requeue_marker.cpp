#include "os/requeue_marker.hpp"

#include <cerrno>

#include "os/claimant.hpp"
#include "os/os_error.hpp"

namespace pw {
namespace {

constexpr int kTurnsMax = 100;
constexpr Nanos kKeepFor = std::chrono::hours(24 * 30);
constexpr Nanos kClocksApart = std::chrono::hours(24);

}  // namespace

Result<RequeueMarker> RequeueMarker::open(const std::string& state, const RunKey& run,
                                          Claimant us) {
  PW_TRY(NoteFolder folder, NoteFolder::open(state, "requeue"));
  return RequeueMarker(std::move(folder), run_name(run), std::move(us));
}

std::string RequeueMarker::note(int turn) const {
  return turn == 1 ? name_ : name_ + "." + std::to_string(turn);
}

// Whoever comes after it may take the next turn.
bool RequeueMarker::is_over(const std::string& note, const Claim& claim,
                            std::optional<Nanos> job_began) {
  const auto stamp = folder_.stamp(note);
  if (stamp && job_began && *stamp < *job_began - kClocksApart) return true;
  if (claim.state == Claim::State::withdrawn) return true;
  return claim.state == Claim::State::trying && proven_dead(claim.owner, us_);
}

// Made first and looked at then: what was looked for in vain stays absent for an NFS client.
Result<RequeueMarker::Answer> RequeueMarker::claim(std::optional<Nanos> job_began) {
  const Claim ours{Claim::State::trying, us_};
  for (int turn = 1; turn <= kTurnsMax; ++turn) {
    PW_TRY(const bool made, folder_.make(note(turn), encode(ours)));
    if (made) {
      turn_ = turn;
      return Answer{Claimed::ours, ""};
    }
    PW_TRY(const auto text, folder_.read(note(turn)));
    const auto found = parse_claim(text.value_or(""));
    // Nobody knows what it means, and a job that is requeued twice is worse.
    if (!found) return Answer{Claimed::another_trying, ""};
    if (is_over(note(turn), *found, job_began)) continue;
    const bool done = found->state == Claim::State::done;
    return Answer{done ? Claimed::done_already : Claimed::another_trying,
                  claimant_text(found->owner)};
  }
  return os_error("claim the requeue of " + name_, EAGAIN);
}

Result<void> RequeueMarker::say(Claim::State state) {
  if (turn_ == 0) return os_error("note the requeue of " + name_ + ", which is not ours", EPERM);
  return folder_.replace(note(turn_), encode({state, us_}));
}

Result<void> RequeueMarker::done() { return say(Claim::State::done); }

Result<void> RequeueMarker::withdraw() { return say(Claim::State::withdrawn); }

void RequeueMarker::prune() {
  if (turn_ != 0) folder_.prune(note(turn_), kKeepFor);
}

}  // namespace pw
