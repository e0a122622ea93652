#include "os/replace_file.hpp"

#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>

#include "os/fd.hpp"
#include "os/os_error.hpp"

namespace pw {

Result<struct stat> replace_file(const std::string& path, const std::string& text) {
  std::string temporary = path + ".XXXXXX.tmp";
  Fd file(mkostemps(temporary.data(), 4, O_CLOEXEC));
  if (!file) return os_error("write " + path);
  struct stat made {};
  errno = ENOSPC;  // what a short write means
  const bool whole =
      ::write(file.get(), text.data(), text.size()) == static_cast<ssize_t>(text.size()) &&
      fchmod(file.get(), 0644) == 0 && fstat(file.get(), &made) == 0;
  int why = whole ? 0 : errno;
  // A file server tells only now that it is full.
  if (::close(file.release()) != 0 && why == 0) why = errno;
  if (why == 0 && rename(temporary.c_str(), path.c_str()) == 0) return made;
  if (why == 0) why = errno;
  unlink(temporary.c_str());
  return os_error("write " + path, why);
}

}  // namespace pw
