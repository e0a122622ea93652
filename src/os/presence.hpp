#pragma once
#include <string>

#include "os/fd.hpp"

namespace pw {

/// Whether somebody serves a folder: who does holds a lock of `.served` in it (flock(2)), as long
/// as it lives. For a warning only: anybody may lie there, and nothing is decided by it.
class Presence {
 public:
  /// False: another one serves it already, or it cannot be told.
  bool announce(const std::string& folder);

  static bool seen(const std::string& folder);

 private:
  Fd fd_;
};

}  // namespace pw
