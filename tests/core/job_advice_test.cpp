#include "core/job_advice.hpp"

#include <doctest/doctest.h>

#include "core/batch_options.hpp"

using namespace pw;
using namespace std::chrono_literals;

TEST_CASE("the --signal that a batch script asks for") {
  const std::pair<const char*, const char*> rows[] = {
      {"#!/bin/bash\n#SBATCH --signal=USR1@90\n#SBATCH --open-mode=append\nsrun x\n", "USR1@90"},
      {"#!/bin/bash\n#SBATCH --signal B:USR1@90 --open-mode append\n", "B:USR1@90"},
      {"#!/bin/bash\r\n\r\n# words\r\n#SBATCH --signal=USR1@90\r\n", "USR1@90"},
      {"#!/bin/bash\n#SBATCH --signal=TERM\n#SBATCH --signal=RB:USR1\n", "RB:USR1"},
      {"#!/bin/bash\n#SBATCH -t 10 # --signal=USR1@90\n", ""},
      {"#!/bin/bash\n# SBATCH --signal=USR1@90\n##SBATCH --signal=USR1@90\n", ""},
      {"#!/bin/bash\nset -e\n#SBATCH --signal=USR1@90\n", ""},
      {"#!/bin/bash\n#SBATCH --signals=USR1@90\n", ""},
      {"", ""},
  };
  for (const auto& [script, signal] : rows) {
    CAPTURE(script);
    CHECK(script_signal(script) == signal);
  }
  CHECK(tells_batch_only("B:USR1@90"));
  CHECK(tells_batch_only("RB:USR1"));
  CHECK_FALSE(tells_batch_only("R:USR1@90"));
  CHECK_FALSE(tells_batch_only("USR1@90"));
  CHECK_FALSE(tells_batch_only(""));
}

TEST_CASE("what cannot work with a job's own options") {
  Settings plain;
  Settings requeue;
  requeue.requeue = RequeueMode::automatic;
  Settings in_time = requeue;
  in_time.notice_before_end = 90s;
  Settings relay;
  relay.notices = {};
  struct Row {
    const char* what;
    Settings settings;
    JobFacts facts;
    std::string want;  // a word for each, a warning in capitals
  };
  const Row rows[] = {
      {"all is well", requeue, {.appends = true, .signal = true}, ""},
      {"no requeue", requeue, {.may_requeue = false, .appends = true, .signal = true}, "MAY "},
      {"nobody asks for one", plain, {.may_requeue = false, .signal = true}, ""},
      {"neither", requeue, {.signal = false}, "APPEND signal "},
      {"the notice is ours", in_time, {.appends = true, .signal = false}, ""},
      {"two notices", in_time, {.appends = true, .signal = true}, "SIGNAL "},
      {"one run only", plain, {.signal = false}, "signal "},
      {"no end", plain, {.has_end = false, .signal = false}, ""},
      {"no notices", relay, {.signal = false}, ""},
      {"past this step", plain, {.signal = true, .passes_us_by = true}, "SIGNAL "},
      {"no script", requeue, {.may_requeue = false}, "MAY APPEND "},
  };
  for (const Row& row : rows) {
    CAPTURE(row.what);
    std::string got;
    for (const JobAdvice& advice : advise_on_job(row.settings, row.facts)) {
      const bool warning = advice.level == LogLevel::warning;
      if (advice.text.find("may not be") != std::string::npos) got += warning ? "MAY " : "may ";
      if (advice.text.find("append") != std::string::npos) got += warning ? "APPEND " : "append ";
      if (advice.text.find("--signal") != std::string::npos) got += warning ? "SIGNAL " : "signal ";
    }
    CHECK(got == row.want);
  }
}
