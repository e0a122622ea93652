#pragma once
#include <string>
#include <vector>

#include "os/fd.hpp"

namespace pw {

/// Tells when a file of a folder is written, moved there or removed (inotify(7)): this host's doing
/// only, on a network disk nobody is told of another's. Links are not followed.
class FolderWatch {
 public:
  FolderWatch();

  /// Watches one more folder; again is no harm. False: it cannot be (not there, no watches left).
  bool add(const std::string& folder);

  int fd() const { return fd_.get(); }  ///< readable when something has happened; -1: no inotify

  /// Takes note of all that has happened; false: nothing has.
  bool drain() const;

 private:
  Fd fd_;
};

/// The folders in a folder, in no order, of each owner but root at most 16; none where it cannot be
/// read.
std::vector<std::string> folders_of(const std::string& folder);

}  // namespace pw
