#include "core/stagger.hpp"

#include <algorithm>

#include "core/chance.hpp"
#include "core/number.hpp"

namespace pw {
namespace {

constexpr std::int64_t kLargest = std::int64_t{1} << 40;  // Slurm's largest array has 4 million

Nanos part_of(Nanos window, double share) {
  return Nanos(static_cast<std::int64_t>(static_cast<double>(window.count()) * share));
}

}  // namespace

std::optional<ArrayPlace> array_place(std::string_view id, std::string_view first,
                                      std::string_view last, std::string_view step,
                                      std::string_view count) {
  const auto number = parse_number(id);
  const auto from = parse_number(first);
  const auto to = parse_number(last);
  const std::int64_t by = parse_number(step).value_or(1);
  if (!number || !from || !to || by < 1 || *from > *number || *number > *to || *to > kLargest) {
    return {};
  }
  const std::int64_t places = (*to - *from) / by + 1;
  const auto tasks = parse_number(count);
  const bool fits = tasks && *tasks >= 1 && *tasks <= places;
  return ArrayPlace{(*number - *from) / by, places, fits ? *tasks : places};
}

std::uint64_t hash_of(std::string_view words) {
  std::uint64_t hash = 0xcbf29ce484222325;
  for (const char c : words) {
    hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3;
  }
  return mixed(hash);
}

Nanos stagger_delay(Nanos window, const std::optional<ArrayPlace>& place, std::string_view job,
                    int restarts) {
  const std::int64_t index = place ? place->index : 0;
  const double u = share_of(
      hash_of(std::string(job) + "/" + std::to_string(index) + "/" + std::to_string(restarts)));
  if (restarts > 0) return part_of(std::min(window, kStaggerAlone), u);
  if (!place) return part_of(window, u);
  return part_of(window, (static_cast<double>(index) + u) / static_cast<double>(place->count));
}

}  // namespace pw
