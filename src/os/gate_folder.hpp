#pragma once
#include <string>

#include "core/result.hpp"
#include "os/fd.hpp"

namespace pw {

/// The folder of a start gate: one of our own (os/own_folder, whose errors these are) with what
/// belongs in it. os/ledger alone calls this.
Result<Fd> open_gate_folder(const std::string& path);

/// `ctl` as it is made: "run". Done too when somebody else was faster.
Result<void> make_control(int folder);

}  // namespace pw
