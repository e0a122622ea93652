#include "core/progress.hpp"

#include "core/number.hpp"
#include "core/text.hpp"

namespace pw {

std::optional<std::int64_t> progress_number(std::string_view text) {
  return parse_number(trimmed(text.substr(0, text.find('\n'))));
}

bool is_further(const std::optional<Progress>& now, const std::optional<Progress>& before) {
  if (!now) return false;
  if (now->number && before && before->number) return *now->number > *before->number;
  return now != before;
}

std::string progress_text(const std::optional<Progress>& progress) {
  if (!progress) return "-";
  if (progress->number) return "n:" + std::to_string(*progress->number);
  return "w:" + std::to_string(progress->written) + ":" + std::to_string(progress->size);
}

std::optional<std::optional<Progress>> parse_progress(std::string_view text) {
  if (text == "-") return std::optional<Progress>();
  const auto parts = split(text, ':');
  if (parts.size() == 2 && parts[0] == "n") {
    const auto number = parse_number(parts[1]);
    if (number) return std::optional(Progress{.number = number});
  }
  if (parts.size() == 3 && parts[0] == "w") {
    const auto written = parse_number(parts[1]);
    const auto size = parse_number(parts[2]);
    if (written && size) return std::optional(Progress{.written = *written, .size = *size});
  }
  return {};
}

}  // namespace pw
