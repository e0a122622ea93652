#include "core/queued_notice.hpp"

#include <algorithm>
#include <cstdint>

namespace pw {
namespace {

constexpr std::int64_t kOurs = 0x70777463;  // "pwtc"
constexpr std::int64_t kDay = std::int64_t{24} * 3600 * 1000;
constexpr std::int64_t kAdvice = kDay + 1;
constexpr std::int64_t kWithdrawn = kDay + 2;

std::int64_t low_half(const QueuedNotice& notice) {
  switch (notice.kind) {
    case QueuedNotice::Kind::advice: return kAdvice;
    case QueuedNotice::Kind::withdrawn: return kWithdrawn;
    case QueuedNotice::Kind::ends: break;
  }
  return std::clamp<std::int64_t>(notice.left.count() / 1'000'000, 1, kDay);
}

}  // namespace

Payload encode(const QueuedNotice& notice) { return {true, kOurs << 32 | low_half(notice)}; }

std::optional<QueuedNotice> queued_notice(const Payload& payload) {
  if (!payload.queued || payload.value >> 32 != kOurs) return {};
  const std::int64_t low = payload.value & 0xffffffff;
  if (low == kAdvice) return QueuedNotice{QueuedNotice::Kind::advice};
  if (low == kWithdrawn) return QueuedNotice{QueuedNotice::Kind::withdrawn};
  if (low < 1 || low > kDay) return {};
  return QueuedNotice{QueuedNotice::Kind::ends, Millis(low)};
}

}  // namespace pw
