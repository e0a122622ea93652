#pragma once
#include <string>
#include <string_view>

#include "core/settings.hpp"

namespace pw {

/// Rows of core/option_values: what makes a job come back, and what stops it from doing so.
std::string take_requeue(std::string_view text, Settings& settings);
std::string take_max_requeues(std::string_view text, Settings& settings);
std::string take_requeue_exit(std::string_view text, Settings& settings);
std::string take_final_exits(std::string_view text, Settings& settings);

}  // namespace pw
