#include "core/job_advice.hpp"

#include <doctest/doctest.h>

using namespace pw;
using namespace std::chrono_literals;

TEST_CASE("the options that stand in a batch script") {
  struct Row {
    const char* script;
    bool signal;
    bool append;
  };
  const Row rows[] = {
      {"#!/bin/bash\n#SBATCH --signal=USR1@90\n#SBATCH --open-mode=append\nsrun x\n", true, true},
      {"#!/bin/bash\n#SBATCH --signal B:USR1@90 --open-mode append\n", true, true},
      {"#!/bin/bash\r\n\r\n# words\r\n#SBATCH --open-mode=append\r\n", false, true},
      {"#!/bin/bash\n#SBATCH -t 10 # --signal=USR1@90\n", false, false},
      {"#!/bin/bash\n# SBATCH --signal=USR1@90\n##SBATCH --open-mode=append\n", false, false},
      {"#!/bin/bash\nset -e\n#SBATCH --signal=USR1@90\n", false, false},
      {"#!/bin/bash\n#SBATCH --open-mode=append\n#SBATCH --open-mode=truncate\n", false, false},
      {"#!/bin/bash\n#SBATCH --signals=USR1@90\n", false, false},
      {"", false, false},
  };
  for (const Row& row : rows) {
    CAPTURE(row.script);
    CHECK(read_batch_options(row.script).signal == row.signal);
    CHECK(read_batch_options(row.script).append == row.append);
  }
}

TEST_CASE("what cannot work with a job's own options") {
  Settings plain;
  Settings requeue;
  requeue.requeue = RequeueMode::automatic;
  Settings in_time = requeue;
  in_time.notice_before_end = 90s;
  Settings relay;
  relay.notices = {};
  const BatchOptions both{.signal = true, .append = true};
  struct Row {
    const char* what;
    Settings settings;
    JobFacts facts;
    std::string want;  // the first words of each, a warning in capitals
  };
  const Row rows[] = {
      {"all is well", requeue, {.options = both}, ""},
      {"no requeue", requeue, {.may_requeue = false, .options = both}, "MAY NOT "},
      {"nobody asks for one", plain, {.may_requeue = false, .options = both}, ""},
      {"neither", requeue, {.options = BatchOptions{}}, "append signal "},
      {"by the environment",
       requeue,
       {.options = BatchOptions{}, .signal_by_environment = true, .append_by_environment = true},
       ""},
      {"the notice is ours", in_time, {.options = BatchOptions{.append = true}}, ""},
      {"one run only", plain, {.options = BatchOptions{}}, "signal "},
      {"no end", plain, {.has_end = false, .options = BatchOptions{}}, ""},
      {"no notices", relay, {.options = BatchOptions{}}, ""},
      {"no script", requeue, {.may_requeue = false}, "MAY NOT "},
  };
  for (const Row& row : rows) {
    CAPTURE(row.what);
    std::string got;
    for (const JobAdvice& advice : advise_on_job(row.settings, row.facts)) {
      const auto has = [&](const char* word) {
        return advice.text.find(word) != std::string::npos;
      };
      const bool warning = advice.level == LogLevel::warning;
      if (has("may not be requeued")) got += warning ? "MAY NOT " : "may not ";
      if (has("has no --open-mode")) got += warning ? "APPEND " : "append ";
      if (has("has no --signal")) got += warning ? "SIGNAL " : "signal ";
    }
    CHECK(got == row.want);
  }
}
