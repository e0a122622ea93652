#include "core/notify_message.hpp"

#include <doctest/doctest.h>

using namespace pw;
using namespace std::chrono_literals;
using namespace std::string_view_literals;

namespace {

// "ready", "extend 5s", ...: what a datagram was understood to say.
std::string said(std::string_view datagram) {
  const auto message = parse_notify_message(datagram);
  if (!message) return "refused";
  std::string text;
  if (message->ready) text += "ready ";
  if (message->stopping) text += "stopping ";
  if (message->watchdog == NotifyMessage::Watchdog::alive) text += "alive ";
  if (message->watchdog == NotifyMessage::Watchdog::trigger) text += "trigger ";
  if (message->extend) text += "extend " + std::to_string(message->extend->count()) + " ";
  if (message->status) text += "status <" + *message->status + "> ";
  if (!text.empty()) text.pop_back();
  return text;
}

}  // namespace

TEST_CASE("what each datagram says") {
  struct Row {
    std::string_view datagram;
    const char* want;
  };
  const Row rows[] = {
      {"READY=1", "ready"},
      {"READY=1\n", "ready"},
      {"READY=1\0"sv, "ready"},
      {"READY=1\n\0"sv, "ready"},
      {"READY=0", ""},
      {"READY=10", ""},
      {"READY", ""},
      {"ready=1", ""},
      {"XREADY=1", ""},
      {"READY=1\nREADY=0", "ready"},
      {"STATUS=epoch 3 of 9\nREADY=1", "ready status <epoch 3 of 9>"},
      {"STATUS=a=b", "status <a=b>"},
      {"STATUS=", "status <>"},
      {"STATUS=a\nSTATUS=b", "status <b>"},
      {"STATUS=\xff", "status <\xff>"},
      {"STOPPING=1", "stopping"},
      {"WATCHDOG=1", "alive"},
      {"WATCHDOG=trigger", "trigger"},
      {"WATCHDOG=2", ""},
      {"EXTEND_TIMEOUT_USEC=1500000", "extend 1500000000"},
      {"EXTEND_TIMEOUT_USEC=0", "extend 0"},
      {"EXTEND_TIMEOUT_USEC=-5", ""},
      {"EXTEND_TIMEOUT_USEC=5s", ""},
      {"EXTEND_TIMEOUT_USEC=", ""},
      // UINT64_MAX, systemd's infinity, and what no number type holds: a year.
      {"EXTEND_TIMEOUT_USEC=18446744073709551615", "extend 31622400000000000"},
      {"EXTEND_TIMEOUT_USEC=99999999999999999999999", "extend 31622400000000000"},
      {"", ""},
      {"\n\n=\n=1\n", ""},
      {"\0"sv, ""},
      {"READY=1\0STOPPING=1"sv, "refused"},
      {"READY=1\0\0"sv, "refused"},
      {"MAINPID=1\nBARRIER=1\nFDSTORE=1", ""},
  };
  for (const Row& row : rows) {
    CAPTURE(row.datagram);
    CHECK(said(row.datagram) == row.want);
  }
}

TEST_CASE("what is passed on upwards") {
  struct Row {
    std::string_view datagram;
    const char* want;
  };
  const Row rows[] = {
      {"READY=1", "READY=1\n"},
      {"READY=1\nSTATUS=x\n", "READY=1\nSTATUS=x\n"},
      {"MAINPID=12\nREADY=1", "READY=1\n"},
      {"MAINPID=12", ""},
      {"BARRIER=1", ""},
      {"FDSTORE=1\nFDNAME=x", ""},
      {"NOTIFYACCESS=all", ""},
      {"WATCHDOG=1", "WATCHDOG=1\n"},
      {"EXTEND_TIMEOUT_USEC=5", "EXTEND_TIMEOUT_USEC=5\n"},
      {"RELOADING=1\nMONOTONIC_USEC=7", "RELOADING=1\nMONOTONIC_USEC=7\n"},
      {"STATUS", ""},
      {"READY=1\0"sv, "READY=1\n"},
  };
  for (const Row& row : rows) {
    CAPTURE(row.datagram);
    CHECK(passed_upwards(row.datagram, HangEndedBy::us) == row.want);
  }
  constexpr auto kTrigger = "WATCHDOG=trigger\nSTATUS=x"sv;
  CHECK(passed_upwards(kTrigger, HangEndedBy::us) == "STATUS=x\n");
  CHECK(passed_upwards(kTrigger, HangEndedBy::manager) == "WATCHDOG=trigger\nSTATUS=x\n");
}

TEST_CASE("of what could not be sent at once, the later value of a name counts") {
  CHECK(merged_upwards("", "READY=1\n") == "READY=1\n");
  CHECK(merged_upwards("READY=1\nSTATUS=a\n", "STATUS=b\n") == "READY=1\nSTATUS=b\n");
  CHECK(merged_upwards("STATUS=a\n", "STATUS=b\nWATCHDOG=1\n") == "STATUS=b\nWATCHDOG=1\n");
  CHECK(merged_upwards("WATCHDOG=1\n", "WATCHDOG_USEC=5\n") == "WATCHDOG=1\nWATCHDOG_USEC=5\n");
}
