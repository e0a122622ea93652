#pragma once
#include <span>
#include <string>
#include <vector>

#include "core/cloud_source.hpp"
#include "core/option_table.hpp"
#include "core/settings.hpp"

namespace pw {

/// What the verb `watch` was asked to do, on its command line only: it runs as a service, whose
/// unit says it all.
struct WatchSettings {
  CloudSource cloud{.kind = CloudSource::Kind::automatic};
  std::string run_dir = "/run/preempt-wrap";
  std::string state_dir;       ///< empty: STATE_DIRECTORY, which systemd sets; else no memory
  Signal notice_as = SIGUSR1;  ///< what the processes get
  Nanos lead = Seconds(30);    ///< of a shutdown: from its begin to the machine's end
  Nanos margin = Seconds(2);   ///< be done this long before the end, at most a quarter of it
  std::string on_notice;
  std::string journal;
  LogLevel log_level = LogLevel::info;
  std::vector<Complaint> errors;  ///< all at once; nothing may be watched if there are any
};

std::span<const Option> watch_option_table();

/// `given`: the strongest first, as parse_command_line() gives them.
WatchSettings watch_settings(std::span<const Given> given);

}  // namespace pw
