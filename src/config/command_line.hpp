#pragma once
#include <span>
#include <string>
#include <vector>

#include "core/option_table.hpp"
#include "core/settings.hpp"

namespace pw {

enum class Wanted { run, help, help_all, version };

/// argv without the program's name and verb, taken apart.
struct CommandLine {
  std::vector<Given> given;
  std::string config_path;           ///< --config
  std::vector<std::string> command;  ///< the trainer's words, not looked into
  std::vector<Complaint> errors;
  Wanted wanted = Wanted::run;
};

/// Options end at the first word that is no option or at `--`, so the trainer's own options are
/// never eaten. Of an option given twice the last counts. A verb with options of its own gives
/// their table.
CommandLine parse_command_line(std::span<const std::string> words,
                               std::span<const Option> table = option_table());

}  // namespace pw
