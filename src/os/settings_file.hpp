#pragma once
#include <cstddef>
#include <string>

#include "core/result.hpp"

namespace pw {

/// A regular file's text, at most `most` bytes; never hangs on a FIFO in its place.
Result<std::string> read_regular_file(const std::string& path, std::size_t most);

/// A settings file's text, at most 1 MiB. Refused: what is no regular file, and, when we are root,
/// what is not root's or what others may write. ENOENT is the error of a file that is not there.
Result<std::string> read_settings_file(const std::string& path);

}  // namespace pw
