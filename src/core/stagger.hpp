#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "core/time.hpp"

namespace pw {

/// Where a run stands among those that start with it.
struct ArrayPlace {
  std::int64_t index = 0;  ///< from 0
  std::int64_t count = 1;  ///< of the places; an array with gaps leaves some empty
  std::int64_t tasks = 1;  ///< how many start with it
  friend bool operator==(const ArrayPlace&, const ArrayPlace&) = default;
};

/// SLURM_ARRAY_TASK_ID, _MIN, _MAX, _STEP and _COUNT as they stand in the environment. In an array
/// with gaps (--array=1,5,17) a place counts among all numbers from the first to the last, since
/// nobody says which there are, and _COUNT says how many. Nothing for what is missing, no number,
/// or contradicts itself.
std::optional<ArrayPlace> array_place(std::string_view id, std::string_view first,
                                      std::string_view last, std::string_view step,
                                      std::string_view count);

/// A task that was requeued starts alone: it does not wait its whole share again.
inline constexpr Nanos kStaggerAlone = Seconds(30);

/// Stratified jitter, repeatable: (index + u) / count of the window, u in [0, 1) from job, index
/// and the number of restarts; no state, no I/O. All ranks of a task get the same. Restarted: u of
/// the window, at most of kStaggerAlone. Without a place (no array): u of the window.
Nanos stagger_delay(Nanos window, const std::optional<ArrayPlace>& place, std::string_view job,
                    int restarts);

/// The same for the same words, on every machine: FNV-1a (64 bit), mixed.
std::uint64_t hash_of(std::string_view words);

}  // namespace pw
