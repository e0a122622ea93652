#include <signal.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <string>
#include <thread>
#include <vector>

#include "config/command_line.hpp"
#include "core/exit_status.hpp"
#include "core/gate_policy.hpp"
#include "core/gate_summary.hpp"
#include "os/ledger.hpp"
#include "os/random.hpp"
#include "verbs/complain.hpp"
#include "verbs/help.hpp"
#include "verbs/job_paths.hpp"
#include "verbs/run.hpp"

namespace pw {
namespace {

constexpr int kNoGate = 1;
struct Action {
  std::string_view name;
  const char* said;  // when it is done: those who wait look every 10 s, those who run once a minute
};
constexpr auto kActions = std::to_array<Action>(
    {{"status", ""},
     {"pause", "paused: who waits keeps its place; nobody starts from 10 s on\n"},
     {"resume", "resumed: starts go on in 12 s, in their order\n"},
     {"stop", "stopped: who waits ends within 10 s, with its --stopped-exit; what runs goes on\n"},
     {"cancel", "cancelled: who waits ends within 10 s with 143, what runs within a minute\n"},
     {"reset", "reset: all places are void, who waits queues again\n"}});
constexpr std::array kOptions = std::to_array<Option>({
    {"json", 0, "", "off", Reach::command_line, true, "status as one JSON object"},
    {"help", 'h', "", "off", Reach::command_line, true, "this screen"},
});

int print(const std::string& text) {
  std::fputs(text.c_str(), stdout);
  return std::fflush(stdout) == 0 ? 0 : kOwnFailure;
}

GateControl control_of(Ledger& ledger) {
  const auto text = ledger.control();
  const auto control = text ? parse_gate_control(*text) : std::nullopt;
  return control.value_or(GateControl{});
}

Result<int> status(Ledger& ledger, bool json) {
  PW_TRY(const auto entries, ledger.entries());
  std::vector<GateSummary::Entry> known;
  for (const Ledger::Entry& entry : entries) {
    if (auto record = decode_gate_record(entry.text)) known.push_back({*record, entry.writer});
  }
  const GateSummary summary = summarize(known, control_of(ledger), ledger.now());
  return print(json ? status_json(summary) : status_text(summary));
}

// How long it was paused so far is part of the gate's clock: whoever cannot read it must not guess.
// To end everything it need not be known.
Result<int> steer(Ledger& ledger, GateWord word, const std::string& reason) {
  const bool ends = word == GateWord::stop || word == GateWord::cancel;
  const auto said = ledger.change_control([&](const std::string& text) -> Result<std::string> {
    const auto old = parse_gate_control(text);
    if (!old && !ends) return Error{"ctl is garbled; preempt-wrap gate reset begins anew", {}};
    return encode(steered(old.value_or(GateControl{}), word, reason, ledger.now()));
  });
  if (!said) return said.error();
  return 0;
}

// A new generation makes all places void; nothing is unlinked under those who read.
Result<int> reset(Ledger& ledger) {
  const GateControl control = control_of(ledger);
  for (;;) {
    PW_TRY(const auto head, ledger.head());
    const GateRecord record =
        gate_rules::fresh(random_bits() >> 32, gate_time(control, ledger.now()));
    PW_TRY(const auto outcome, ledger.commit(head, encode(record)));
    if (outcome == Ledger::Outcome::done) break;
    std::this_thread::sleep_for(ledger.backoff());
  }
  const auto said = ledger.change_control([](const std::string& text) -> Result<std::string> {
    GateControl next = parse_gate_control(text).value_or(GateControl{});
    ++next.resets;
    return encode(next);
  });
  if (!said) return said.error();
  return 0;
}

Result<int> act(Ledger& ledger, std::string_view action, bool json, const std::string& reason) {
  if (action == "status") return status(ledger, json);
  if (action == "pause") return steer(ledger, GateWord::pause, reason);
  if (action == "resume") return steer(ledger, GateWord::run, reason);
  if (action == "stop") return steer(ledger, GateWord::stop, reason);
  if (action == "cancel") return steer(ledger, GateWord::cancel, reason);
  return reset(ledger);
}

struct Asked {
  std::string action;
  std::string folder;
  std::string reason;
  bool json = false;
  bool help = false;
  std::vector<std::string> errors;
};

const Action* action_named(std::string_view word) {
  const auto* const found = std::find_if(kActions.begin(), kActions.end(),
                                         [&](const Action& known) { return known.name == word; });
  return found == kActions.end() ? nullptr : found;
}

// ACTION [--json] DIR [--json] [REASON...]
Asked understand(std::span<const std::string> words) {
  Asked asked;
  std::vector<std::string> plain;
  while (!words.empty()) {
    const CommandLine line = parse_command_line(words, kOptions);
    for (const Complaint& error : line.errors) asked.errors.push_back(error.line());
    for (const Given& given : line.given) asked.json = asked.json || given.name == "json";
    asked.help = asked.help || line.wanted == Wanted::help;
    if (line.command.empty()) break;
    plain.push_back(line.command.front());
    words = words.last(line.command.size() - 1);
  }
  if (plain.empty()) {
    asked.errors.push_back(
        "what to do? gate status|pause|resume|stop|cancel|reset DIR, or gate plan");
    return asked;
  }
  asked.action = plain[0];
  if (action_named(asked.action) == nullptr) {
    asked.errors.push_back("gate " + asked.action +
                           ": is none of status, pause, resume, stop, cancel, reset, plan");
  }
  if (plain.size() < 2) asked.errors.push_back("gate " + asked.action + ": which gate? DIR");
  if (plain.size() >= 2) asked.folder = plain[1];
  for (std::size_t i = 2; i < plain.size(); ++i) {
    asked.reason += (asked.reason.empty() ? "" : " ") + plain[i];
  }
  const bool speechless = asked.action == "status" || asked.action == "reset";
  if (speechless && !asked.reason.empty()) {
    asked.errors.push_back("unexpected word " + asked.reason);
  }
  if (asked.json && asked.action != "status") asked.errors.push_back("--json is for status");
  return asked;
}

}  // namespace

int gate(const Beginning& beginning, std::span<const std::string> words) {
  sigprocmask(SIG_SETMASK, &beginning.signals.mask, nullptr);
  if (!words.empty() && words[0] == "plan") return plan_of_gate(words.subspan(1));
  Asked asked = understand(words);
  if (asked.help) return print(gate_help_text(kOptions));
  if (asked.errors.empty() && asked.folder.find('%') != std::string::npos) {
    const auto folder = expand_pattern(asked.folder, pattern_values(find_slurm_job(), host_name()));
    if (folder) asked.folder = *folder;
    if (!folder) asked.errors.push_back(folder.error().what);
  }
  for (const std::string& error : asked.errors) complain(error);
  if (!asked.errors.empty()) return kOwnFailure;
  const auto use = asked.action == "status" ? Ledger::Use::look : Ledger::Use::steer;
  auto ledger = Ledger::open_existing(asked.folder, use);
  if (!ledger) return fail(kNoGate, asked.folder + " " + ledger.error().text());
  const auto result = act(*ledger, asked.action, asked.json, asked.reason);
  if (!result) return fail(kNoGate, result.error().text());
  return *result == 0 ? print(action_named(asked.action)->said) : *result;
}

}  // namespace pw
