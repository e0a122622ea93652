#include "core/watch_settings.hpp"

#include <array>
#include <set>

#include "core/option_values.hpp"

namespace pw {
namespace {

constexpr std::array kOptions = std::to_array<Option>({
    {"cloud", 0, "SRC", "auto", Reach::command_line, true,
     "whom to ask: auto, ec2, gce, azure, file:PATH, none"},
    {"run-dir", 0, "DIR", "/run/preempt-wrap", Reach::command_line, true,
     "PID files of who is to be told, there and one folder below"},
    {"state-dir", 0, "DIR", "$STATE_DIRECTORY", Reach::command_line, true,
     "remembers who has been told, across a restart"},
    {"notice-as", 0, "SIG", "USR1", Reach::command_line, true,
     "what they get; TERM before the end, SIGKILL at the end"},
    {"lead", 0, "D", "30s", Reach::command_line, true, "how long a shutdown leaves them"},
    {"margin", 0, "D", "2s", Reach::command_line, true, "SIGKILL comes this long before the end"},
    {"on-notice", 0, "CMD", "off", Reach::command_line, true, "run CMD by /bin/sh at a notice"},
    {"journal", 0, "P", "off", Reach::command_line, true,
     "append one JSON line per event to this file"},
    {"log-level", 0, "LEVEL", "info", Reach::command_line, true, "error, warning, info or debug"},
    {"quiet", 'q', "", "off", Reach::command_line, true, "only errors and warnings"},
    {"help", 'h', "", "off", Reach::command_line, true, "this screen"},
});

}  // namespace

std::span<const Option> watch_option_table() { return kOptions; }

// The same words mean the same as in `run`, so they are taken in by its table.
WatchSettings watch_settings(std::span<const Given> given) {
  WatchSettings watch;
  Settings common;
  common.cloud = watch.cloud;
  common.lead = watch.lead;
  std::set<std::string_view> seen;
  for (const Given& item : given) {
    if (!seen.insert(item.name).second) continue;
    for (const OptionValue& value : option_values()) {
      if (value.name != item.name) continue;
      std::string fault = value.take(item.text, common);
      if (fault.empty() && item.name == "lead" && !common.lead) {
        fault = "a shutdown leaves some time (30s)";
      }
      if (!fault.empty()) watch.errors.push_back({item.origin, item.name + ": " + fault});
    }
  }
  watch.cloud = common.cloud;
  watch.run_dir = common.run_dir;
  watch.state_dir = common.state_dir;
  watch.notice_as = common.notice_as;
  watch.lead = common.lead.value_or(watch.lead);
  watch.margin = common.margin;
  watch.on_notice = common.on_notice;
  watch.journal = common.journal;
  watch.log_level = seen.contains("quiet") ? LogLevel::warning : common.log_level;
  return watch;
}

}  // namespace pw
