#include "os/claimant.hpp"

#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include "os/pid_file_lock.hpp"
#include "os/process_table.hpp"
#include "os/random.hpp"

namespace pw {

Claimant claimant_here(const std::string& host) {
  Claimant here{.host = host, .boot = boot_id()};
  struct stat space {};
  const auto entry = read_process(getpid());
  if (proc_is_ours() && entry && stat("/proc/self/ns/pid", &space) == 0) {
    here.space = space.st_ino;
    here.process = entry->id;
  } else {
    // Chance keeps it apart from others of that number; nobody can prove anything of it.
    here.process = {getpid(), random_bits() >> 1U};
  }
  return here;
}

bool proven_dead(const Claimant& owner, const Claimant& asker) {
  if (!within_sight(owner, asker)) return false;
  if (const auto entry = read_process(owner.process.pid)) {
    return entry->id != owner.process || !entry->alive();
  }
  // /proc may hide others' processes (hidepid), but the kernel knows.
  return kill(owner.process.pid, 0) != 0 && errno == ESRCH;
}

}  // namespace pw
