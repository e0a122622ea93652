#pragma once
#include <sys/stat.h>

#include <string>

#include "core/result.hpp"
#include "os/fd.hpp"

namespace pw {

/// A regular file that is open for reading, and where it really lies.
struct CarefulFile {
  Fd fd;
  struct stat found {};
  std::string path;  ///< absolute, without symbolic links
};

/// Opens a file that tells us whom to signal, so that nobody but its owner can put another in its
/// place: folder by folder (openat), the last component no symbolic link, and none on the way in a
/// folder that others can write (group or all, or whose owner is neither root nor we). What is no
/// regular file is not even opened: a FIFO or a device may hang or act. May hang on a filesystem
/// that does (os/aside).
/// The error's `what` is the end of a sentence that begins with the path: "is a directory".
Result<CarefulFile> open_carefully(const std::string& path);

/// "is a directory", "is a FIFO", ...: what a file is that is no regular one.
const char* what_it_is(mode_t mode);

/// NFS and its like, where another host may have written the file; also FUSE, which may be one.
bool on_network_filesystem(int fd);

}  // namespace pw
