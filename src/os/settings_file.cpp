#include "os/settings_file.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "os/fd.hpp"
#include "os/os_error.hpp"

namespace pw {
namespace {

constexpr std::size_t kSizeMax = 1024 * 1024;

Result<std::string> read_all(const Fd& file, const struct stat& found, const std::string& path,
                             std::size_t most) {
  if (!S_ISREG(found.st_mode)) return Error{path + " is no regular file", {}};
  if (found.st_size > static_cast<off_t>(most)) return Error{path + " is too long", {}};
  std::string text(static_cast<std::size_t>(found.st_size), '\0');
  const ssize_t size = read(file.get(), text.data(), text.size());
  if (size < 0) return os_error("read " + path);
  text.resize(static_cast<std::size_t>(size));
  return text;
}

// O_NONBLOCK: a FIFO in its place must not hang us.
Fd open_to_read(const std::string& path) {
  return Fd(::open(path.c_str(), O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC));
}

}  // namespace

Result<std::string> read_regular_file(const std::string& path, std::size_t most) {
  const Fd file = open_to_read(path);
  struct stat found {};
  if (!file || fstat(file.get(), &found) != 0) return os_error("open " + path);
  return read_all(file, found, path, most);
}

Result<std::string> read_settings_file(const std::string& path) {
  const Fd file = open_to_read(path);
  struct stat found {};
  if (!file || fstat(file.get(), &found) != 0) return os_error("open " + path);
  if (S_ISREG(found.st_mode) && geteuid() == 0 &&
      (found.st_uid != 0 || (found.st_mode & 022) != 0)) {
    return Error{path + " is not root's alone to write, so root does not follow it", {}};
  }
  return read_all(file, found, path, kSizeMax);
}

}  // namespace pw
