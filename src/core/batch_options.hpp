#pragma once
#include <string_view>

namespace pw {

/// Whether the #SBATCH lines of a batch script ask for a --signal; as sbatch reads them, up to the
/// first line that is neither empty nor a comment. What sbatch was given on its command line does
/// not stand there.
bool script_asks_for_signal(std::string_view script);

}  // namespace pw
