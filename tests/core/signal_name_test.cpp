#include "core/signal_name.hpp"

#include <doctest/doctest.h>

using namespace pw;

TEST_CASE("signals go by name or number, with or without SIG, in any case") {
  struct Row {
    const char* text;
    std::optional<Signal> want;
  };
  const Row rows[] = {
      {"USR1", SIGUSR1},
      {"SIGUSR1", SIGUSR1},
      {"usr1", SIGUSR1},
      {"sigterm", SIGTERM},
      {"10", 10},
      {"64", 64},
      {"34", 34},
      {"RTMIN", 34},
      {"RTMIN+3", 37},
      {"SIGRTMIN+30", 64},
      {"RTMAX", 64},
      {"RTMAX-30", 34},
      {"CLD", SIGCHLD},
      {"IOT", SIGABRT},
      {"", {}},
      {"0", {}},
      {"32", {}},
      {"33", {}},
      {"65", {}},
      {"-9", {}},
      {"RTMIN+31", {}},
      {"RTMIN-1", {}},
      {"RTMAX+1", {}},
      {"RTMIN+", {}},
      {"RTMIN+x", {}},
      {"USR3", {}},
      {"SIG", {}},
      {"USR1 ", {}},
      {"RTMIN+99999999999999999999", {}},
  };
  for (const Row& row : rows) {
    CAPTURE(row.text);
    CHECK(parse_signal(row.text) == row.want);
  }
}

TEST_CASE("every usable number has a name that is read back") {
  for (Signal signal = 1; signal <= kRtMax; ++signal) {
    if (signal == 32 || signal == 33) continue;
    CAPTURE(signal);
    CHECK(parse_signal(signal_name(signal)) == signal);
  }
  CHECK(signal_name(37) == "RTMIN+3");
}

TEST_CASE("a set keeps what is put in, and only signals") {
  SignalSet set{SIGUSR1, 64};
  CHECK(set.contains(SIGUSR1));
  CHECK(set.contains(64));
  CHECK_FALSE(set.contains(SIGTERM));
  set.insert(0);
  set.insert(65);
  CHECK_FALSE(set.contains(0));
  CHECK_FALSE(set.contains(65));
  set.erase(64);
  set.erase(SIGUSR1);
  CHECK(set.empty());
}
