#pragma once
#include <string>

#include "os/fd.hpp"

namespace pw {

/// Whether somebody serves a folder: who does holds a lock of `.served` in it (fcntl(2),
/// F_OFD_SETLK), as long as it lives. Asking takes no lock: two who ask at once see the same. For a
/// warning only: anybody may lie there, and nothing is decided by it.
class Presence {
 public:
  /// Again is no harm, also when the folder has been made anew. False: another one serves it
  /// already, or it cannot be told.
  bool announce(const std::string& folder);

  static bool seen(const std::string& folder);

 private:
  Fd fd_;
};

}  // namespace pw
