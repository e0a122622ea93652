#pragma once
#include <string_view>

namespace pw {

/// The last --signal of the #SBATCH lines of a batch script ("B:USR1@90"), empty without one; as
/// sbatch reads them, up to the first line that is neither empty nor a comment. What sbatch was
/// given on its command line does not stand there.
std::string_view script_signal(std::string_view script);

/// `B:`: the batch script alone is told.
bool tells_batch_only(std::string_view signal);

}  // namespace pw
