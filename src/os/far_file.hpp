#pragma once
#include <optional>
#include <string>

#include "core/time.hpp"

namespace pw {

/// Whether there is such a file; asked by a process of its own, since its disk may hang, and
/// without taking any signal. Nothing: not known within `limit`, or it may not be looked for.
std::optional<bool> file_is_there(const std::string& path, Nanos limit);

}  // namespace pw
