#include "os/settings_file.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "os/fd.hpp"
#include "os/os_error.hpp"

namespace pw {
namespace {

constexpr std::size_t kSizeMax = 1024 * 1024;

}  // namespace

Result<std::string> read_settings_file(const std::string& path) {
  // O_NONBLOCK: a FIFO in its place must not hang us.
  const Fd file(::open(path.c_str(), O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC));
  if (!file) return os_error("open " + path);
  struct stat found {};
  if (fstat(file.get(), &found) != 0) return os_error("stat " + path);
  if (!S_ISREG(found.st_mode)) return Error{path + " is no regular file", {}};
  if (geteuid() == 0 && (found.st_uid != 0 || (found.st_mode & 022) != 0)) {
    return Error{path + " is not root's alone to write, so root does not follow it", {}};
  }
  if (found.st_size > static_cast<off_t>(kSizeMax)) return Error{path + " is over 1 MiB", {}};
  std::string text(static_cast<std::size_t>(found.st_size), '\0');
  const ssize_t size = read(file.get(), text.data(), text.size());
  if (size < 0) return os_error("read " + path);
  text.resize(static_cast<std::size_t>(size));
  return text;
}

}  // namespace pw
