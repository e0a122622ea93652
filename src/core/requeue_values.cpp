#include "core/requeue_values.hpp"

#include "core/text.hpp"
#include "core/value_takers.hpp"

namespace pw {
namespace {

constexpr std::int64_t kMostRequeues = 1'000'000;

}  // namespace

std::string take_requeue(std::string_view text, Settings& settings) {
  static constexpr std::array kWords =
      std::to_array<std::pair<std::string_view, RequeueMode>>({{"none", RequeueMode::none},
                                                               {"auto", RequeueMode::automatic},
                                                               {"repair", RequeueMode::repair},
                                                               {"scontrol", RequeueMode::scontrol},
                                                               {"exit", RequeueMode::exit},
                                                               {"linger", RequeueMode::linger}});
  return take_word(text, settings.requeue, kWords);
}

std::string take_max_requeues(std::string_view text, Settings& settings) {
  return take_in_range(text, 0, kMostRequeues, "number", settings.max_requeues);
}

std::string take_requeue_exit(std::string_view text, Settings& settings) {
  std::int64_t code = 0;
  const std::string fault = take_in_range(text, 1, 255, "exit status", code);
  settings.requeue_exit = static_cast<int>(code);
  return fault;
}

std::string take_final_exits(std::string_view text, Settings& settings) {
  settings.final_exits.clear();
  for (const std::string_view item : split(text, ',')) {
    std::int64_t code = 0;
    const std::string fault = take_in_range(trimmed(item), 0, 255, "exit status", code);
    if (!fault.empty()) return fault;
    settings.final_exits.insert(static_cast<int>(code));
  }
  return settings.final_exits.empty() ? "an empty list" : "";
}

}  // namespace pw
