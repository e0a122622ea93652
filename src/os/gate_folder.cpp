#include "os/gate_folder.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <string_view>

#include "os/os_error.hpp"
#include "os/own_folder.hpp"

namespace pw {
namespace {

// `ctl` is made last: where it is, the rest is. On NFS what was looked for in vain stays absent
// for a minute, so nothing is looked for before it was made.
Result<void> furnish(int folder) {
  if (Fd(openat(folder, "ctl", O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC))) return {};
  if (mkdirat(folder, "go", 0700) != 0 && errno != EEXIST) return os_error("cannot be written");
  if (const auto made = make_control(folder); !made) {
    return Error{"cannot be written", made.error().why};
  }
  return {};
}

}  // namespace

Result<Fd> open_gate_folder(const std::string& path) {
  PW_TRY(Fd folder, open_own_folder(path));
  if (const auto furnished = furnish(folder.get()); !furnished) return furnished.error();
  return folder;
}

Result<void> make_control(int folder) {
  constexpr std::string_view kFirst = "run\n";
  const Fd file(openat(folder, "ctl", O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600));
  if (!file && errno == EEXIST) return {};
  if (!file) return os_error("make ctl");
  if (pwrite(file.get(), kFirst.data(), kFirst.size(), 0) == static_cast<ssize_t>(kFirst.size())) {
    return {};
  }
  const Error error = os_error("write ctl");
  unlinkat(folder, "ctl", 0);
  return error;
}

}  // namespace pw
