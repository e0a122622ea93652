#pragma once
#include <span>
#include <string_view>

namespace pw {

/// Where an option's value may be given besides the command line.
enum class Reach {
  everywhere,    ///< also PREEMPT_WRAP_<NAME> and a YAML key
  files,         ///< also a YAML key; paths and hooks are not taken from an environment
  command_line,  ///< here only: it chooses the files, or asks for help
};

/// One row of the options table: the single source of parsing, --help, `config` and the README.
struct Option {
  std::string_view name;
  char letter;                    ///< short form, or 0
  std::string_view value;         ///< placeholder for its value; empty is a switch
  std::string_view default_text;  ///< as a user would write it; "off" where there is none
  Reach reach;
  bool common;  ///< shown on the one screen of --help
  std::string_view help;
};

std::span<const Option> option_table();
const Option* find_option(std::string_view name, std::span<const Option> table = option_table());
const Option* find_option(char letter, std::span<const Option> table = option_table());

}  // namespace pw
