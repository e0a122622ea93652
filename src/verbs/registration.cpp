#include "verbs/registration.hpp"

#include <signal.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>

#include "os/os_error.hpp"

namespace pw {
namespace {

constexpr const char* kRunName = "preempt-wrap";

// Somebody has taken the name; the daemon goes by whose a folder is, not by what it is called.
Result<std::string> file_in_another(std::string folder, const std::string& name) {
  folder += ".XXXXXX";
  if (mkdtemp(folder.data()) == nullptr) return os_error("make " + folder);
  chmod(folder.c_str(), 0755);
  return folder + name;
}

}  // namespace

Result<std::string> registration_file(const std::string& run_dir) {
  const std::string name = "/" + std::to_string(getpid()) + ".pid";
  struct stat there {};
  if (stat(run_dir.c_str(), &there) != 0) {
    return Error{run_dir + " is not there (preempt-wrap watch serves it)", {}};
  }
  if (!S_ISDIR(there.st_mode)) return Error{run_dir + " is no folder", {}};
  const uid_t us = geteuid();
  if (us == 0) return run_dir + name;
  const std::string folder = run_dir + "/" + std::to_string(us);
  // The daemon, which is another user, reads it.
  const bool made = mkdir(folder.c_str(), 0755) == 0;
  if (!made && errno != EEXIST) return os_error("make " + folder);
  struct stat found {};
  if (lstat(folder.c_str(), &found) != 0) return os_error("look at " + folder);
  if (!S_ISDIR(found.st_mode) || found.st_uid != us) return file_in_another(folder, name);
  if (made) chmod(folder.c_str(), 0755);  // whatever the umask is
  return folder + name;
}

void take_run_name() { prctl(PR_SET_NAME, kRunName); }

bool is_a_run(const PidTarget& process) { return process.name() == kRunName; }

Signal signal_for_run(const PidTarget& process, Signal otherwise) {
  return process.handling(kRunSignal) == Handling::deadly ? otherwise : kRunSignal;
}

void show_handlers(const SignalSet& notices) {
  struct sigaction nothing {};
  nothing.sa_handler = [](int) {};
  for (Signal signal = 1; signal <= kRtMax; ++signal) {
    struct sigaction found {};
    const bool wanted = signal == SIGUSR1 || signal == kRunSignal || notices.contains(signal);
    // What is ignored stays so in the trainer, too.
    if (!wanted || sigaction(signal, nullptr, &found) != 0 || found.sa_handler == SIG_IGN) continue;
    sigaction(signal, &nothing, nullptr);
  }
}

}  // namespace pw
