#pragma once
#include <optional>
#include <string>

#include "core/progress.hpp"
#include "core/result.hpp"

namespace pw {

/// How far the trainer has come by its --progress-file: a regular file, of which the first line is
/// read. Nothing: there is none yet. May hang on a filesystem that does (so os/requeue_keeper).
Result<std::optional<Progress>> read_progress(const std::string& path);

}  // namespace pw
