#include "core/relay_settings.hpp"

#include <array>
#include <set>

#include "core/duration.hpp"
#include "core/signal_name.hpp"
#include "core/text.hpp"
#include "core/value_takers.hpp"

namespace pw {
namespace {

constexpr std::array kOptions = std::to_array<Option>({
    {"pid-file", 0, "F", "off", Reach::command_line, true, "the process that this file names"},
    {"run-dir", 0, "DIR", "off", Reach::command_line, true,
     "those of all PID files in this folder"},
    {"signal", 's', "SIG", "TERM", Reach::command_line, true, "what it gets"},
    {"grace", 'k', "D", "off", Reach::command_line, true, "SIGKILL if it is still there after D"},
    {"hold", 0, "D", "20s", Reach::command_line, true, "USR1, USR2 and RT wait for a handler"},
    {"no-handler", 0, "P", "term", Reach::command_line, true, "and what then: term, send or skip"},
    {"wait", 0, "D", "60s", Reach::command_line, true, "how long to wait for its end"},
    {"any-host", 0, "", "off", Reach::command_line, true,
     "also a network disk's file without our name"},
    {"help", 'h', "", "off", Reach::command_line, true, "this screen"},
});

std::string take_duration(std::string_view text, Nanos& target) {
  const auto duration = parse_duration(text);
  if (!duration) return bad_duration(text);
  target = *duration;
  return "";
}

std::string take_no_handler(std::string_view text, NoHandler& target) {
  constexpr std::array kWords = std::to_array<std::pair<std::string_view, NoHandler>>(
      {{"term", NoHandler::term}, {"send", NoHandler::send}, {"skip", NoHandler::skip}});
  for (const auto& [word, value] : kWords) {
    if (word != text) continue;
    target = value;
    return "";
  }
  return "\"" + std::string(text) + "\" is none of term, send, skip";
}

std::string take_signal(std::string_view text, Signal& target) {
  const auto signal = parse_signal(text);
  if (!signal) {
    return "\"" + std::string(text) + "\" is no signal" + did_you_mean(text, known_signal_names());
  }
  target = *signal;
  return "";
}

std::string take_path(std::string_view text, std::string& target) {
  target = text;
  return text.empty() ? "an empty value" : "";
}

std::string take(const Given& given, RelaySettings& settings) {
  RelayPlan& plan = settings.plan;
  if (given.name == "pid-file") return take_path(given.text, settings.pid_file);
  if (given.name == "run-dir") return take_path(given.text, settings.run_dir);
  if (given.name == "signal") return take_signal(given.text, plan.signal);
  if (given.name == "grace") return take_duration(given.text, plan.grace.emplace());
  if (given.name == "hold") return take_duration(given.text, plan.hold);
  if (given.name == "no-handler") return take_no_handler(given.text, plan.no_handler);
  if (given.name == "wait") return take_duration(given.text, plan.wait);
  if (given.name == "any-host") settings.host_rule = HostRule::any_host;
  return "";
}

using Seen = std::set<std::string_view>;

// What no option says on its own.
void check_together(RelaySettings& settings, const Seen& seen) {
  const Origin origin{Layer::command_line, "command line"};
  const RelayPlan& plan = settings.plan;
  const bool file = seen.contains("pid-file");
  const bool folder = seen.contains("run-dir");
  const bool understood = settings.errors.empty();
  if (!file && !folder) {
    settings.errors.push_back({origin, "no --pid-file and no --run-dir: whom to signal?"});
  }
  if (file && folder) {
    settings.errors.push_back({origin, "run-dir: cannot be given together with pid-file"});
  }
  // Without a --wait it is as long as the grace takes.
  if (understood && seen.contains("wait") && plan.grace && plan.wait < *plan.grace) {
    settings.errors.push_back({origin, "wait: " + duration_text(plan.wait) +
                                           " ends before the grace, " + duration_text(*plan.grace) +
                                           ", has come to SIGKILL"});
  }
}

}  // namespace

std::span<const Option> relay_option_table() { return kOptions; }

RelaySettings relay_settings(std::span<const Given> given) {
  RelaySettings settings;
  Seen seen;
  for (const Given& item : given) {
    if (!seen.insert(item.name).second) continue;
    const std::string what = take(item, settings);
    if (!what.empty()) settings.errors.push_back({item.origin, item.name + ": " + what});
  }
  check_together(settings, seen);
  return settings;
}

}  // namespace pw
