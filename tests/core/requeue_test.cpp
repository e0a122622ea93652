#include "core/requeue.hpp"

#include <doctest/doctest.h>

#include <signal.h>

#include "core/job_deadline.hpp"

using namespace pw;
using namespace std::chrono_literals;
using Do = RequeueDecision::Do;
using Phase = JobState::Phase;

namespace {

constexpr std::int64_t kNow = 1'795'787'620;

JobState job(Phase phase, std::int64_t end, std::optional<std::int64_t> preempted = {},
             std::int64_t restarts = 0, const char* reason = "None") {
  const char* name = phase == Phase::running ? "RUNNING" : "COMPLETING";
  return {.phase = phase,
          .name = name,
          .reason = reason,
          .restarts = restarts,
          .end = end,
          .preempted = preempted};
}

JobState over(const char* name) { return {.phase = Phase::over, .name = name, .reason = "None"}; }

Instant at(Nanos after) { return Instant(1000h) + after; }

}  // namespace

TEST_CASE("the table of causes") {
  struct Row {
    const char* fact;
    Signal signal;
    std::optional<JobState> job;
    EndCause want;
    std::optional<std::int64_t> end_in_grace = {};
  };
  const Row rows[] = {
      {"nobody answered", SIGUSR1, {}, EndCause::unknown},
      {"a grace has begun", SIGTERM, job(Phase::running, kNow + 20, kNow), EndCause::preemption},
      {"USR1 near the end", SIGUSR1, job(Phase::running, kNow + 90), EndCause::time_limit},
      {"USR1 far from the end", SIGUSR1, job(Phase::running, kNow + 7200), EndCause::by_hand},
      {"TERM to a job that runs", SIGTERM, job(Phase::running, kNow + 90), EndCause::by_hand},
      {"the time limit", SIGTERM, job(Phase::completing, kNow, {}, 0, "TimeLimit"),
       EndCause::time_limit},
      {"scancel", SIGTERM, job(Phase::completing, kNow), EndCause::cancel},
      {"preempted without a grace, to be cancelled", SIGTERM, job(Phase::completing, kNow, kNow),
       EndCause::preemption},
      {"scancel within the grace", SIGTERM, job(Phase::completing, kNow, kNow - 5),
       EndCause::cancel},
      {"scancel in the first second of the grace", SIGTERM, job(Phase::completing, kNow, kNow),
       EndCause::cancel, kNow + 20},
      {"a requeue is under way, its EndTime is nonsense", SIGTERM,
       job(Phase::completing, kNow + 600, {}, 1), EndCause::requeue},
      {"cancelled while the requeue was under way", SIGTERM,
       job(Phase::completing, kNow - 5, {}, 1), EndCause::cancel},
      {"cancelled and over", SIGTERM, over("CANCELLED"), EndCause::cancel},
      {"timed out and over", SIGTERM, over("TIMEOUT"), EndCause::time_limit},
      {"preempted and over", SIGTERM, over("PREEMPTED"), EndCause::preemption},
      {"ended by itself", SIGTERM, over("FAILED"), EndCause::unknown},
      {"suspended", SIGTSTP, job(Phase::suspended, kNow + 90), EndCause::suspend},
  };
  for (const Row& row : rows) {
    CAPTURE(row.fact);
    CHECK(cause_of({.signal = row.signal,
                    .now = kNow,
                    .job = row.job,
                    .end_in_grace = row.end_in_grace}) == row.want);
  }
}

TEST_CASE("what comes back, and how") {
  const JobState running = job(Phase::running, kNow + 90);
  const JobState in_grace = job(Phase::running, kNow + 20, kNow);
  JobState forbidden = running;
  forbidden.may_requeue = false;
  const auto facts = [](RequeueMode mode, EndCause cause, std::optional<JobState> known) {
    return RequeueFacts{.mode = mode,
                        .preempted = true,
                        .signal = SIGUSR1,
                        .at_notice = cause,
                        .now = cause,
                        .job = std::move(known),
                        .preemption_requeues = true};
  };
  const auto but = [](RequeueFacts base, auto change) {
    change(base);
    return base;
  };
  using Mode = RequeueMode;
  using Cause = EndCause;
  const RequeueFacts limit = facts(Mode::automatic, Cause::time_limit, running);
  struct Row {
    const char* fact;
    RequeueFacts facts;
    Do want;
  };
  const Row rows[] = {
      {"auto: a time limit", limit, Do::call},
      {"auto: a preemption", facts(Mode::automatic, Cause::preemption, in_grace), Do::call},
      {"auto: by hand", facts(Mode::automatic, Cause::by_hand, running), Do::nothing},
      {"scontrol: by hand", facts(Mode::scontrol, Cause::by_hand, running), Do::call},
      {"no notice", but(limit, [](RequeueFacts& f) { f.preempted = false; }), Do::nothing},
      {"the work is done", but(limit, [](RequeueFacts& f) { f.work_done = true; }), Do::nothing},
      {"a cancel by now", but(limit, [](RequeueFacts& f) { f.now = Cause::cancel; }), Do::nothing},
      {"a cancel at the notice", but(limit, [](RequeueFacts& f) { f.at_notice = Cause::cancel; }),
       Do::nothing},
      {"a requeue by somebody else", but(limit, [](RequeueFacts& f) { f.now = Cause::requeue; }),
       Do::theirs},
      {"the loop guard", but(limit, [](RequeueFacts& f) { f.refusal = "enough"; }), Do::nothing},
      {"--no-requeue", facts(Mode::automatic, Cause::time_limit, forbidden), Do::nothing},
      {"auto: RequeueExit, and we are the batch process",
       but(limit,
           [](RequeueFacts& f) {
             f.exit_code = 100;
             f.exit_is_the_jobs = true;
           }),
       Do::leave},
      {"auto: RequeueExit, but our status is a task's",
       but(limit, [](RequeueFacts& f) { f.exit_code = 100; }), Do::call},
      {"exit: without a code", facts(Mode::exit, Cause::time_limit, running), Do::nothing},
      {"repair: in a grace", facts(Mode::repair, Cause::preemption, in_grace), Do::call},
      {"repair: a time limit", facts(Mode::repair, Cause::time_limit, running), Do::nothing},
      {"linger: in a grace", facts(Mode::linger, Cause::preemption, in_grace), Do::linger},
      {"linger: a time limit", facts(Mode::linger, Cause::time_limit, running), Do::nothing},
      {"linger: PreemptMode=CANCEL",
       but(facts(Mode::linger, Cause::preemption, in_grace),
           [](RequeueFacts& f) { f.preemption_requeues = false; }),
       Do::nothing},
      {"no answer: a bare TERM may be a cancel",
       but(facts(Mode::scontrol, Cause::unknown, {}), [](RequeueFacts& f) { f.signal = SIGTERM; }),
       Do::nothing},
      {"no answer, but a TERM where a grace may have begun",
       but(facts(Mode::automatic, Cause::unknown, {}),
           [](RequeueFacts& f) {
             f.signal = SIGTERM;
             f.has_grace = true;
           }),
       Do::linger},
  };
  for (const Row& row : rows) {
    CAPTURE(row.fact);
    const RequeueDecision decision = decide_requeue(row.facts);
    CHECK(static_cast<int>(decision.what) == static_cast<int>(row.want));
    if (decision.what == Do::nothing) CHECK(!decision.why.empty());
  }
}

TEST_CASE("our own notices") {
  const auto cause = [](NoticeSource source, const JobState& state) {
    return cause_of({.signal = SIGUSR1, .source = source, .now = kNow, .job = state});
  };
  const JobState runs = job(Phase::running, kNow + 7200);
  CHECK(cause(NoticeSource::own_limit, runs) == EndCause::own_limit);
  CHECK(cause(NoticeSource::job_end, runs) == EndCause::time_limit);
  // What Slurm does meanwhile is the stronger reason.
  CHECK(cause(NoticeSource::own_limit, job(Phase::running, kNow + 20, kNow)) ==
        EndCause::preemption);
  CHECK(cause(NoticeSource::own_limit, job(Phase::completing, kNow)) == EndCause::cancel);
  CHECK(cause_of({.signal = SIGUSR1, .source = NoticeSource::own_limit}) == EndCause::own_limit);
  RequeueFacts facts{.mode = RequeueMode::automatic,
                     .preempted = true,
                     .signal = SIGUSR1,
                     .at_notice = EndCause::own_limit,
                     .now = EndCause::own_limit,
                     .job = runs};
  CHECK(decide_requeue(facts).what == Do::call);
  facts.now = EndCause::cancel;
  CHECK(decide_requeue(facts).what == Do::nothing);
  // A TERM of ours is no begin of a grace.
  RequeueFacts unheard{.mode = RequeueMode::automatic,
                       .preempted = true,
                       .signal = SIGTERM,
                       .source = NoticeSource::own_limit,
                       .preemption_requeues = true,
                       .has_grace = true,
                       .exit_code = 99,
                       .exit_is_the_jobs = true};
  CHECK(decide_without_scontrol(unheard, "unheard").what == Do::leave);
  unheard.source = NoticeSource::signal;
  CHECK(decide_without_scontrol(unheard, "unheard").what == Do::linger);
}

TEST_CASE("when scontrol cannot be had") {
  const RequeueFacts in_grace{.mode = RequeueMode::automatic,
                              .preempted = true,
                              .signal = SIGTERM,
                              .job = job(Phase::running, kNow + 20, kNow),
                              .preemption_requeues = true};
  CHECK(decide_without_scontrol(in_grace, "refused").what == Do::linger);
  RequeueFacts limit = in_grace;
  limit.job = job(Phase::running, kNow + 90);
  CHECK(decide_without_scontrol(limit, "refused").what == Do::nothing);
  CHECK(decide_without_scontrol(limit, "refused").why == "refused");
}

TEST_CASE("when Slurm will KILL, by its own word") {
  struct Row {
    const char* fact;
    JobState job;
    std::optional<Instant> term_at;
    std::optional<Nanos> want;
  };
  const Row rows[] = {
      {"KillWait after the end", job(Phase::running, kNow + 90), {}, 119'700ms},
      {"the end has passed, Slurm has not looked yet",
       job(Phase::running, kNow - 10),
       {},
       29'700ms},
      {"a clock that is an hour off", job(Phase::running, kNow - 3600), {}, 29'700ms},
      {"an absurd end", job(Phase::running, kNow + 400 * 86'400), {}, {}},
      {"KillWait after the TERM", job(Phase::completing, kNow), at(-1s), 28'700ms},
      {"no TERM was seen", job(Phase::completing, kNow), {}, {}},
      {"in a requeue EndTime is nonsense", job(Phase::completing, kNow + 600, {}, 1), at(0s),
       29'700ms},
      {"suspended", job(Phase::suspended, kNow + 90), {}, {}},
  };
  CHECK(end_of(job(Phase::running, kNow + 90), 0, {at(0s), kNow, 400ms}) == at(89'600ms));
  CHECK(end_of(job(Phase::running, kNow - 90), 0, {at(0s), kNow, 400ms}) == at(0s));
  CHECK_FALSE(end_of(job(Phase::running, kNow + 90), 1, {at(0s), kNow}));  // another run's
  for (const Row& row : rows) {
    CAPTURE(row.fact);
    const auto deadline = deadline_of(row.job, 0, {at(0s), kNow}, 30s, row.term_at);
    CHECK(deadline.has_value() == row.want.has_value());
    if (deadline && row.want) CHECK(deadline->at - at(0s) == *row.want);
  }
}
