#pragma once
#include <string>

#include "os/signal_fd.hpp"

namespace pw {

/// Whether the file of --done-file exists; asked at the end of a run, for at most 10 s, by a
/// process of its own: a hung filesystem must not keep us from ending. Signals that come meanwhile
/// are dropped, the trainer has ended.
bool done_file_exists(const std::string& path, const SignalFd& signals);

}  // namespace pw
