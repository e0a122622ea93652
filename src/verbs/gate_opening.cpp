#include "verbs/gate_opening.hpp"

#include <poll.h>

#include <algorithm>
#include <cerrno>
#include <string>

#include "os/aside.hpp"
#include "os/clock.hpp"

namespace pw {
namespace {

constexpr Nanos kTryAgain = Seconds(1);

// Full or out of order for a while, it may be a gate later.
bool may_pass(std::error_code why) {
  return why == std::errc::no_space_on_device || why == std::errc::io_error ||
         why.value() == EDQUOT || why.value() == ESTALE;
}

}  // namespace

std::optional<Ledger> open_patiently(const GateKeeping& keeping, int socket) {
  const Instant limit = monotonic_now() + keeping.max_delay;
  for (bool told = false;; told = true) {
    auto ledger = Ledger::open(keeping.folder);
    if (ledger) return std::move(*ledger);
    const std::string why = ledger.error().text();
    if (!may_pass(ledger.error().why)) {
      send_message(socket, std::string(gate_word::kUnusable) + " " + why);
      return {};
    }
    if (monotonic_now() >= limit) {
      send_message(socket, std::string(gate_word::kGiveUp) + " " + why);
      return {};
    }
    send_message(socket, told ? gate_word::kAlive
                              : std::string(gate_word::kTrouble) + " " + why + "; tried again");
    pollfd polled{.fd = socket, .events = POLLIN, .revents = 0};
    const auto timeout = timeout_until(std::min(limit, monotonic_now() + kTryAgain));
    if (ppoll(&polled, 1, &*timeout, nullptr) > 0) return {};
  }
}

}  // namespace pw
