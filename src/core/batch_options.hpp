#pragma once
#include <string_view>

namespace pw {

/// What the #SBATCH lines of a batch script say of a notice and of the next run. What sbatch was
/// given on its command line does not stand there.
struct BatchOptions {
  bool signal = false;  ///< --signal
  bool append = false;  ///< --open-mode=append
};

/// As sbatch reads them: up to the first line that is neither empty nor a comment.
BatchOptions read_batch_options(std::string_view script);

}  // namespace pw
