#pragma once
#include <span>
#include <string>

#include "config/command_line.hpp"

namespace pw {

std::string help_text();      ///< --help: one screen
std::string help_all_text();  ///< --help-all: every option and exit status

std::string relay_help_text();
std::string watch_help_text();
std::string gate_help_text(std::span<const Option> options);

/// Prints what is wanted instead of a run; our exit status.
int show(Wanted wanted);

}  // namespace pw
