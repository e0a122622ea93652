#pragma once
#include <span>
#include <string>

namespace pw {

/// A command for the start line: its words, cut off after 60 characters, control characters blank.
std::string command_text(std::span<const std::string> command);

/// "python3 train.py": enough for any other sentence.
std::string short_command_text(std::span<const std::string> command);

}  // namespace pw
