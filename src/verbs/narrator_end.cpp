// How a run ends, told; the other half of the class tells what happens before.
#include <string_view>

#include "core/duration.hpp"
#include "core/signal_name.hpp"
#include "verbs/narrator.hpp"

namespace pw {
namespace {

std::string_view word(Outcome outcome) {
  switch (outcome) {
    case Outcome::finished: return "finished";
    case Outcome::failed: return "failed";
    case Outcome::killed: return "killed";
    case Outcome::preempted: return "preempted";
  }
  return "";
}

std::string how_it_ended(const Ending& ending) {
  if (ending.kind == Ending::Kind::exited) return "exited " + std::to_string(ending.number);
  return "died of " + signal_name(ending.number);
}

}  // namespace

void Narrator::not_started(int status, Outcome outcome) {
  over({.status = status, .outcome = outcome}, 0);
}

void Narrator::unkillable(const ProcessEntry& entry) {
  chronicle_.log(LogLevel::error, "cannot be killed: " + entry.name + " (pid " +
                                      std::to_string(entry.id.pid) + ", state " +
                                      std::string(1, entry.state) + ")");
  chronicle_.journal("unkillable", JournalRecord()
                                       .add("target", entry.id.pid)
                                       .add("name", entry.name)
                                       .add("state", std::string(1, entry.state)));
}

void Narrator::trainer_ended(const Ending& ending, bool killed_by_us, std::optional<Nanos> after) {
  const bool exited = ending.kind == Ending::Kind::exited;
  if (!exited && ending.number == SIGKILL && !killed_by_us) {
    chronicle_.log(LogLevel::warning,
                   "the trainer was killed by SIGKILL, not by us (out of memory?)");
  }
  if (!chronicle_.wants_journal()) return;
  JournalRecord record;
  if (exited) {
    record.add("code", ending.number);
  } else {
    record.add("signal", signal_name(ending.number)).add("killed_by_us", killed_by_us);
  }
  if (after) record.add("after_ms", after->count() / 1'000'000);
  chronicle_.journal("trainer-ended", record);
}

void Narrator::ended(const ExitStatus& status, const Supervision& run, Instant now,
                     int left_behind) {
  const RunFacts facts = run.facts();
  const bool by_us = run.hung() || run.cancelled();
  if ((facts.in_episode || by_us) && run.episode_at() && chronicle_.wants(LogLevel::info)) {
    std::string line =
        "the trainer " + how_it_ended(facts.ending) + " after " + spoken(now - *run.episode_at());
    if (run.killed_trainer()) line += ", killed by us";
    if (run.kill_at() && *run.kill_at() > now) {
      line += ", " + spoken(*run.kill_at() - now) + " unused";
    }
    line += left_behind == 0 ? "; nothing left behind"
                             : "; left behind: " + std::to_string(left_behind);
    if (facts.ending.kind == Ending::Kind::exited && facts.ending.number != status.status) {
      line += "; our exit status is " + std::to_string(status.status);
    }
    chronicle_.log(LogLevel::info, line);
  }
}

void Narrator::cause(std::string_view word, std::optional<Nanos> left) {
  chronicle_.log(LogLevel::info, "the cause is " + std::string(word), left);
  chronicle_.journal("cause", JournalRecord().add("cause", word));
}

void Narrator::over(const ExitStatus& status, int left_behind) {
  chronicle_.journal("end", JournalRecord()
                                .add("status", status.status)
                                .add("outcome", word(status.outcome))
                                .add("left_behind", left_behind));
}

}  // namespace pw
