#pragma once
#include <span>
#include <string>
#include <string_view>

#include "core/settings.hpp"

namespace pw {

/// How the text of one option becomes a part of the settings; the other half of its row in
/// core/option_table. `take` returns what is wrong with the text, or nothing.
struct OptionValue {
  std::string_view name;
  std::string (*take)(std::string_view text, Settings& settings);
};

/// In the order in which they are to be taken.
std::span<const OptionValue> option_values();

}  // namespace pw
