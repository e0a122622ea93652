#include "verbs/step_news.hpp"

#include <algorithm>

#include "core/number.hpp"
#include "core/text.hpp"

namespace pw {
namespace {

constexpr Nanos kFastest = Millis(200);
constexpr Nanos kSlowest = Seconds(5);
constexpr std::int64_t kAsksPerSecond = 200;
constexpr Nanos kCaches = Seconds(5);

}  // namespace

Result<void> announce(Ledger& ledger, const GateKeeping& keeping, const StepNews& news) {
  const Nanos at = news.at.time_since_epoch();
  std::string text = "start " + std::to_string(at.count());
  if (news.what == StepNews::What::waiting) text = "waiting " + std::to_string(at.count());
  if (news.what == StepNews::What::stopped) text = "stopped";
  if (news.what == StepNews::What::cancelled) text = "cancelled";
  const auto seconds = std::chrono::duration_cast<Seconds>(at).count();
  return ledger.announce(keeping.step_key, seconds, text);
}

Result<std::optional<StepNews>> heard_of(Ledger& ledger, const GateKeeping& keeping) {
  PW_TRY(const auto text, ledger.announced(keeping.step_key));
  if (!text) return std::optional<StepNews>();
  if (*text == "stopped") return std::optional(StepNews{StepNews::What::stopped});
  if (*text == "cancelled") return std::optional(StepNews{StepNews::What::cancelled});
  const auto words = split(*text, ' ');
  const bool known = words.size() == 2 && (words[0] == "start" || words[0] == "waiting");
  const auto at = known ? parse_number(words[1]) : std::nullopt;
  if (!at) return Error{"rank 0's announcement is garbled: " + *text, {}};
  const auto what = words[0] == "start" ? StepNews::What::start : StepNews::What::waiting;
  return std::optional(StepNews{what, WallTime(Nanos(*at))});
}

Nanos followers_poll(const GateKeeping& keeping) {
  const std::int64_t followers = std::max<std::int64_t>(keeping.count, 1) * (keeping.ranks - 1);
  return std::clamp<Nanos>(Seconds(1) * followers / kAsksPerSecond, kFastest, kSlowest);
}

Nanos followers_lead(const GateKeeping& keeping, const Ledger& ledger) {
  return followers_poll(keeping) + followers_poll(keeping) / 4 +
         (ledger.reaches_other_nodes() ? kCaches : Nanos(0));
}

}  // namespace pw
