#include "verbs/verb.hpp"

#include <algorithm>
#include <array>
#include <span>

#include "core/exit_status.hpp"
#include "verbs/complain.hpp"
#include "verbs/help.hpp"

namespace pw {
namespace {

// Names that later versions will use; a command of that name needs `--` before it already now.
constexpr auto kReserved = std::to_array<std::string_view>({"status", "report", "drill", "doctor"});

}  // namespace

int perform(const Beginning& beginning, const std::vector<std::string>& words) {
  const std::string first = words.empty() ? "" : words[0];
  const std::span<const std::string> rest = std::span(words).subspan(words.empty() ? 0 : 1);
  if (first == "run") return run(beginning, rest);
  if (first == "config") return config(rest);
  if (first == "relay") return relay(beginning, rest);
  if (first == "gate") return gate(beginning, rest);
  if (first == "watch") return watch(beginning, rest);
  if (first == "help") return show(Wanted::help);
  if (first == "version") return show(Wanted::version);
  if (std::find(kReserved.begin(), kReserved.end(), first) != kReserved.end()) {
    return fail(kOwnFailure, "the verb " + first +
                                 " is reserved for a later version; for a "
                                 "command of that name write: preempt-wrap -- " +
                                 first);
  }
  return run(beginning, words);
}

}  // namespace pw
