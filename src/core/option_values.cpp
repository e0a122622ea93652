#include "core/option_values.hpp"

#include <algorithm>
#include <array>

#include "core/duration.hpp"
#include "core/gate_record.hpp"
#include "core/number.hpp"
#include "core/requeue_values.hpp"
#include "core/signal_name.hpp"
#include "core/start_rate.hpp"
#include "core/text.hpp"
#include "core/value_takers.hpp"

namespace pw {
namespace {

std::string bad_signal(std::string_view text) {
  return "\"" + std::string(text) + "\" is no signal" + did_you_mean(text, known_signal_names());
}

// KILL and STOP cannot be caught, CHLD tells of children, faults act at once on whoever made them.
std::string uncatchable(Signal signal) {
  constexpr SignalSet kNever{SIGKILL, SIGSTOP, SIGCHLD, SIGSEGV, SIGBUS,
                             SIGFPE,  SIGILL,  SIGTRAP, SIGSYS};
  if (!kNever.contains(signal)) return "";
  return signal_name(signal) + " cannot be a notice: it is the kernel's own";
}

std::string take_notice(std::string_view text, Settings& settings) {
  SignalSet notices;
  if (text != "none") {
    for (std::string_view item : split(text, ',')) {
      item = trimmed(item);
      const auto signal = parse_signal(item);
      if (!signal) return bad_signal(item);
      if (const std::string why = uncatchable(*signal); !why.empty()) return why;
      notices.insert(*signal);
    }
    if (notices.empty()) return "an empty list (write none for a plain relay)";
  }
  settings.notices = notices;
  return "";
}

std::string take_map(std::string_view text, Settings& settings) {
  SignalMap map;
  for (std::string_view item : split(text, ',')) {
    item = trimmed(item);
    const auto colon = item.find(':');
    if (colon == std::string_view::npos) return "\"" + std::string(item) + "\" is not A:B or A:";
    const std::string_view to = item.substr(colon + 1);
    const auto from_signal = parse_signal(item.substr(0, colon));
    const auto to_signal = to.empty() ? std::optional<Signal>(0) : parse_signal(to);
    if (!from_signal) return bad_signal(item.substr(0, colon));
    if (!to_signal) return bad_signal(to);
    if (const std::string why = uncatchable(*from_signal); !why.empty()) return why;
    if (*to_signal == SIGKILL) return "KILL is the end of the ladder, not a signal to map to";
    if (!map.emplace(*from_signal, *to_signal).second) {
      return signal_name(*from_signal) + " is mapped twice";
    }
  }
  settings.signal_map = map;
  return "";
}

std::string take_to(std::string_view text, Settings& settings) {
  static constexpr std::array kWords =
      std::to_array<std::pair<std::string_view, Audience>>({{"handlers", Audience::handlers},
                                                            {"child", Audience::child},
                                                            {"group", Audience::group},
                                                            {"tree", Audience::tree}});
  return take_word(text, settings.to, kWords);
}

std::string take_hold(std::string_view text, Settings& settings) {
  const auto hold = parse_duration(text);
  if (!hold) return bad_duration(text);
  settings.hold = *hold;
  return "";
}

std::string take_no_handler(std::string_view text, Settings& settings) {
  settings.no_handler.reset();
  if (text == "auto") return "";
  settings.no_handler = NoHandler::term;
  static constexpr std::array kWords = std::to_array<std::pair<std::string_view, NoHandler>>(
      {{"term", NoHandler::term}, {"send", NoHandler::send}, {"skip", NoHandler::skip}});
  const std::string what = take_word(text, *settings.no_handler, kWords);
  return what.empty() ? "" : what + ", auto";
}

// The kernel keeps 15 characters of a program's name, and no folder.
std::string take_transparent(std::string_view text, Settings& settings) {
  settings.transparent.clear();
  for (std::string_view item : split(text, ',')) {
    item = trimmed(item);
    if (item.empty() || item.find('/') != std::string_view::npos) {
      return "\"" + std::string(item) + "\" is no name of a program";
    }
    settings.transparent.emplace(item.substr(0, 15));
  }
  return settings.transparent.empty() ? "an empty list" : "";
}

std::string take_grace(std::string_view text, Settings& settings) {
  settings.ladder = LadderPlan{};
  if (text == "auto") return "";
  const auto grace = parse_duration(text);
  if (!grace) return bad_duration(text, " or auto");
  settings.ladder.grace = *grace;
  return "";
}

std::string take_ladder(std::string_view text, Settings& settings) {
  const auto plan = parse_ladder(text);
  if (!plan) return plan.error().what;
  settings.ladder = *plan;
  return "";
}

std::string take_lead(std::string_view text, Settings& settings) {
  settings.lead_known = text != "none";
  settings.lead.reset();
  if (text == "auto" || text == "none") return "";
  settings.lead = parse_duration(text);
  if (settings.lead == Nanos(0)) return no_time(text);
  return settings.lead ? "" : bad_duration(text, ", auto or none");
}

std::string take_ready(std::string_view text, Settings& settings) {
  settings.ready = ReadyWhen::told;
  if (text == "notify") return "";
  const auto after = parse_duration(text);
  if (!after) return bad_duration(text, " or notify");
  settings.ready = ReadyWhen::later;
  settings.ready_after = *after;
  return "";
}

std::string take_stragglers(std::string_view text, Settings& settings) {
  settings.stragglers.reset();
  if (text == "leave") return "";
  settings.stragglers = parse_duration(text);
  return settings.stragglers ? "" : bad_duration(text, " or leave");
}

std::string take_if_wrapper_dies(std::string_view text, Settings& settings) {
  const auto signal = text == "none" ? std::optional<Signal>(0) : parse_signal(text);
  if (!signal) return bad_signal(text);
  settings.if_wrapper_dies = *signal;
  return "";
}

std::string take_notice_as(std::string_view text, Settings& settings) {
  const auto signal = text == "auto" ? std::optional<Signal>(SIGUSR1) : parse_signal(text);
  if (!signal) return bad_signal(text);
  if (const std::string fault = uncatchable(*signal); !fault.empty()) return fault;
  settings.notice_as = *signal;
  return "";
}

std::string take_exit_preempted(std::string_view text, Settings& settings) {
  const auto status = parse_number(text);
  if (!status || *status < 1 || *status > 255) {
    return "\"" + std::string(text) + "\" is no exit status from 1 to 255";
  }
  settings.exit_preempted = static_cast<int>(*status);
  return "";
}

std::string take_exit_zero(std::string_view text, Settings& settings) {
  settings.exit_zero.reset();
  if (text == "auto") return "";
  settings.exit_zero = ZeroMeans::done;
  static constexpr std::array kWords = std::to_array<std::pair<std::string_view, ZeroMeans>>(
      {{"done", ZeroMeans::done}, {"preempted", ZeroMeans::preempted}});
  return take_word(text, *settings.exit_zero, kWords);
}

std::string take_log_level(std::string_view text, Settings& settings) {
  static constexpr std::array kWords =
      std::to_array<std::pair<std::string_view, LogLevel>>({{"error", LogLevel::error},
                                                            {"warning", LogLevel::warning},
                                                            {"info", LogLevel::info},
                                                            {"debug", LogLevel::debug}});
  return take_word(text, settings.log_level, kWords);
}

// A switch is true without a value; in a file or the environment it may also be said to be off.
std::string take_switch(std::string_view text, bool& target) {
  const std::string word = upper_case(text);
  target = word != "FALSE" && word != "0" && word != "OFF" && word != "NO";
  if (!target || word == "" || word == "TRUE" || word == "1" || word == "ON" || word == "YES") {
    return "";
  }
  return "\"" + std::string(text) + "\" is neither true nor false";
}

template <bool Settings::*Member>
std::string take_switch(std::string_view text, Settings& settings) {
  return take_switch(text, settings.*Member);
}

std::string take_quiet(std::string_view text, Settings& settings) {
  bool quiet = false;
  const std::string fault = take_switch(text, quiet);
  if (quiet) settings.log_level = std::min(settings.log_level, LogLevel::warning);
  return fault;
}

constexpr std::int64_t kMostTasks = 1'000'000'000;

std::string take_index(std::string_view text, Settings& settings) {
  return take_in_range(text, 0, kMostTasks, "number", settings.index.emplace());
}

std::string take_count(std::string_view text, Settings& settings) {
  return take_in_range(text, 1, kMostTasks, "number", settings.count.emplace());
}

std::string take_start_rate(std::string_view text, Settings& settings) {
  const auto spacing = parse_start_rate(text);
  if (!spacing) return spacing.error().what;
  settings.start_spacing = *spacing;
  return "";
}

std::string take_max_starting(std::string_view text, Settings& settings) {
  std::int64_t most = 0;
  const auto limit = static_cast<std::int64_t>(kMostLeases);
  const std::string fault = take_in_range(text, 1, limit, "number", most);
  settings.max_starting = static_cast<int>(most);
  return fault;
}

std::string take_gate_unit(std::string_view text, Settings& settings) {
  static constexpr std::array kWords = std::to_array<std::pair<std::string_view, GateUnit>>(
      {{"task", GateUnit::task}, {"rank", GateUnit::rank}});
  return take_word(text, settings.gate_unit, kWords);
}

std::string take_cloud(std::string_view text, Settings& settings) {
  auto source = parse_cloud_source(text);
  if (!source) return source.error().what;
  settings.cloud = std::move(*source);
  return "";
}

std::string take_stopped_exit(std::string_view text, Settings& settings) {
  std::int64_t status = 0;
  const std::string fault = take_in_range(text, 0, 255, "exit status", status);
  settings.stopped_exit = static_cast<int>(status);
  return fault;
}

// In this order: quiet lowers log-level.
constexpr std::array kValues = std::to_array<OptionValue>({
    {"notice", take_notice},
    {"map-signal", take_map},
    {"to", take_to},
    {"hold", take_hold},
    {"no-handler", take_no_handler},
    {"transparent", take_transparent},
    {"grace", take_grace},
    {"ladder", take_ladder},
    {"lead", take_lead},
    {"margin", take_duration<&Settings::margin>},
    {"notice-after", take_positive_duration<&Settings::notice_after>},
    {"notice-before-end", take_some_duration<&Settings::notice_before_end>},
    {"notice-as", take_notice_as},
    {"cloud", take_cloud},
    {"max-grace", take_duration<&Settings::max_grace>},
    {"stragglers", take_stragglers},
    {"if-wrapper-dies", take_if_wrapper_dies},
    {"exit-preempted", take_exit_preempted},
    {"exit-zero", take_exit_zero},
    {"ready", take_ready},
    {"watchdog", take_positive_duration<&Settings::watchdog>},
    {"stagger", take_some_duration<&Settings::stagger>},
    {"index", take_index},
    {"count", take_count},
    {"gate", take_path<&Settings::gate>},
    {"start-rate", take_start_rate},
    {"max-starting", take_max_starting},
    {"gate-unit", take_gate_unit},
    {"max-delay", take_duration<&Settings::max_delay>},
    {"require-gate", take_switch<&Settings::require_gate>},
    {"stopped-exit", take_stopped_exit},
    {"dry-run", take_switch<&Settings::dry_run>},
    {"requeue", take_requeue},
    {"max-requeues", take_max_requeues},
    {"min-runtime", take_duration<&Settings::min_runtime>},
    {"progress-file", take_path<&Settings::progress_file>},
    {"requeue-exit", take_requeue_exit},
    {"final-exit", take_final_exits},
    {"kill-switch", take_path<&Settings::kill_switch>},
    {"wait-ranks", take_some_duration<&Settings::wait_ranks>},
    {"state-dir", take_path<&Settings::state_dir>},
    {"done-file", take_path<&Settings::done_file>},
    {"on-notice", take_text<&Settings::on_notice>},
    {"on-exit", take_text<&Settings::on_exit>},
    {"register", take_switch<&Settings::registers>},
    {"run-dir", take_path<&Settings::run_dir>},
    {"service", take_switch<&Settings::service>},
    {"pid-file", take_path<&Settings::pid_file>},
    {"target-pid-file", take_path<&Settings::target_pid_file>},
    {"notice-file", take_path<&Settings::notice_file>},
    {"journal", take_path<&Settings::journal>},
    {"profile", take_text<&Settings::profile>},
    {"log-level", take_log_level},
    {"quiet", take_quiet},
});

}  // namespace

std::span<const OptionValue> option_values() { return kValues; }

}  // namespace pw
