#include "verbs/registration.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include "os/os_error.hpp"

namespace pw {

Result<std::string> registration_file(const std::string& run_dir) {
  const std::string name = "/" + std::to_string(getpid()) + ".pid";
  const uid_t us = geteuid();
  if (us == 0) return run_dir + name;
  const std::string folder = run_dir + "/" + std::to_string(us);
  // The daemon, which is another user, reads it.
  if (mkdir(folder.c_str(), 0755) != 0 && errno != EEXIST) return os_error("make " + folder);
  struct stat found {};
  if (lstat(folder.c_str(), &found) != 0) return os_error("look at " + folder);
  if (!S_ISDIR(found.st_mode) || found.st_uid != us) {
    return Error{folder + " is no folder of ours", {}};
  }
  return folder + name;
}

}  // namespace pw
