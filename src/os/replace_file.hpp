#pragma once
#include <sys/stat.h>

#include <string>

#include "core/result.hpp"

namespace pw {

/// Puts a whole new file (0644) in the place of `path`, by rename from a name beside it: who reads
/// sees the old text or the new one. An Error leaves the old one, and no file beside it. Gives what
/// was made. May hang on a filesystem that does (os/aside).
Result<struct stat> replace_file(const std::string& path, const std::string& text);

}  // namespace pw
