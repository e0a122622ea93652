#pragma once
#include <string>
#include <vector>

#include "core/result.hpp"
#include "os/fd.hpp"

namespace pw {

/// The folder of a start gate: made if it is absent (0700, with its parents), and refused where
/// somebody else could put another in its place or write in it. os/ledger alone calls this. The
/// error's `what` is the end of a sentence that begins with the path; its `why` is empty where the
/// folder is refused for what it is, and errno where a call has failed.
Result<Fd> open_gate_folder(const std::string& path);

/// False when the folder was deleted or moved and `folder` is no longer what the path names.
bool is_named(int folder, const std::string& path);

/// `ctl` as it is made: "run". Done too when somebody else was faster.
Result<void> make_control(int folder);

/// What is in `name` of the folder ("." for itself), in no order.
Result<std::vector<std::string>> names_in(int folder, const char* name);

}  // namespace pw
