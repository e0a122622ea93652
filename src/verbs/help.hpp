#pragma once
#include <string>

namespace pw {

inline constexpr const char* kVersion = PW_VERSION;

std::string help_text();      ///< --help: one screen
std::string help_all_text();  ///< --help-all: every option and exit status

}  // namespace pw
