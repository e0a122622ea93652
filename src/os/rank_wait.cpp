#include "os/rank_wait.hpp"

#include <unistd.h>

#include "core/duration.hpp"
#include "core/number.hpp"
#include "core/text.hpp"
#include "os/clock.hpp"
#include "os/process_table.hpp"
#include "os/rank_keeper.hpp"

namespace pw {

void RankWait::open() {
  const auto wrapper = read_process(getpid());
  const RankKeeping keeping{.ranks = plan_.ranks,
                            .state = plan_.state,
                            .step = plan_.step,
                            .slurmstepd = wrapper && proc_is_ours() ? plan_.slurmstepd : 0,
                            .wrapper = wrapper.value_or(ProcessEntry{})};
  auto keeper = Aside::start([&](int socket) { keep_ranks(keeping, socket); },
                             "fork the keeper of the ranks");
  if (!keeper) {
    troubles_.push_back(keeper.error().text() + "; the other ranks are not seen");
    return;
  }
  keeper_.emplace(std::move(*keeper));
}

std::optional<ProcessId> RankWait::helper() const {
  return keeper_ ? std::optional(keeper_->id()) : std::nullopt;
}

void RankWait::hear(const std::string& message) {
  const std::string rest = message.substr(1);
  if (message[0] == rank_word::kTrouble) troubles_.push_back(rest);
  if (message[0] == rank_word::kOver) roll_.dissolved();
  if (message[0] != rank_word::kEnded) return;
  for (const std::string_view item : split(rest, ',')) {
    if (const auto rank = parse_number(item); rank && *rank < plan_.ranks.count) {
      roll_.ended(static_cast<int>(*rank));
    }
  }
}

RankRoll::Verdict RankWait::advance() {
  while (keeper_) {
    const auto message = keeper_->receive(monotonic_now());
    if (!message) break;
    hear(*message);
  }
  if (keeper_ && keeper_->over()) keeper_.reset();
  return roll_.verdict(monotonic_now(), plan_.limit);
}

std::string RankWait::text() const {
  return "waiting for " + roll_.missing_text() + ", at most " +
         spoken(plan_.limit - monotonic_now());
}

void RankWait::close(Instant limit) {
  if (!keeper_) return;
  const bool all = roll_.verdict(monotonic_now(), plan_.limit) == RankRoll::Verdict::all_ended;
  if (all && plan_.ranks.rank == 0) keeper_->send(std::string(1, rank_word::kOver));
  keeper_->say_no_more();
  while (!keeper_->over() && monotonic_now() < limit) {
    if (const auto message = keeper_->receive(limit)) hear(*message);
  }
  if (keeper_->over()) keeper_->reap();
  keeper_.reset();
}

}  // namespace pw
