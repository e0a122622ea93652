#pragma once
#include <cerrno>
#include <string>
#include <system_error>

#include "core/result.hpp"

namespace pw {

/// What was tried, and why it failed according to errno (or the number given).
inline Error os_error(std::string what, int number = errno) {
  return {std::move(what), std::error_code(number, std::generic_category())};
}

}  // namespace pw
