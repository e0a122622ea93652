#include "core/rank_roll.hpp"

#include <algorithm>

namespace pw {
namespace {

constexpr int kGroupsMax = 6;  // in a sentence

}  // namespace

RankRoll::RankRoll(StepRanks ranks)
    : ranks_(std::move(ranks)),
      ended_(static_cast<std::size_t>(ranks_.count)),
      missing_(ranks_.count) {
  ended(ranks_.rank);
}

void RankRoll::ended(int rank) {
  if (rank < 0 || rank >= ranks_.count || has_ended(rank)) return;
  ended_[static_cast<std::size_t>(rank)] = true;
  --missing_;
}

void RankRoll::saw_node(std::span<const std::optional<int>> living) {
  const auto lives = [&](int rank) {
    return std::any_of(living.begin(), living.end(), [rank](const std::optional<int>& other) {
      return !other || *other == rank;
    });
  };
  for (const int rank : ranks_.here) {
    if (!lives(rank)) ended(rank);
  }
}

RankRoll::Verdict RankRoll::verdict(Instant now, Instant limit) const {
  if (missing_ == 0 || dissolved_) return Verdict::all_ended;
  return now >= limit ? Verdict::limit : Verdict::waiting;
}

std::string RankRoll::missing_text() const {
  if (missing_ == 0) return "";
  std::string list;
  int told = 0;
  int groups = 0;
  for (int rank = 0; rank < ranks_.count && groups < kGroupsMax; ++rank) {
    if (has_ended(rank)) continue;
    int last = rank;
    while (last + 1 < ranks_.count && !has_ended(last + 1)) ++last;
    list += (groups++ > 0 ? ", " : "") + std::to_string(rank);
    if (last > rank) list += (last == rank + 1 ? ", " : "-") + std::to_string(last);
    told += last - rank + 1;
    rank = last;
  }
  if (told < missing_) list += " and " + std::to_string(missing_ - told) + " more";
  return (missing_ == 1 ? "rank " : "ranks ") + list + " of " + std::to_string(ranks_.count);
}

}  // namespace pw
