#pragma once
#include <string>
#include <vector>

#include "core/result.hpp"
#include "os/fd.hpp"

namespace pw {

/// A folder of our own: made if it is absent (0700, with its parents), and refused where somebody
/// else could put another in its place or write in it. May hang on a filesystem that does (so
/// os/aside). The error's `what` is the end of a sentence that begins with the path; its `why` is
/// empty where the folder is refused for what it is, and errno where a call has failed.
Result<Fd> open_own_folder(const std::string& path);

/// False when the folder was deleted or moved and `folder` is no longer what the path names.
bool is_named(int folder, const std::string& path);

/// What is in `name` of the folder ("." for itself), in no order.
Result<std::vector<std::string>> names_in(int folder, const char* name);

}  // namespace pw
