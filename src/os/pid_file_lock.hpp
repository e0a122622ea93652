#pragma once
#include <cstdint>
#include <optional>
#include <string>

#include "core/pid_file.hpp"
#include "os/fd.hpp"

namespace pw {

/// Who holds a PID file, or held it: the one line in P.lock. With it the next owner knows whether a
/// process that lives is the one that was meant.
struct LockRecord {
  std::string host;
  std::string boot;  ///< /proc/sys/kernel/random/boot_id
  int wrapper = 0;
  int trainer = 0;          ///< 0: not started yet
  std::uint64_t start = 0;  ///< its start time, as in ProcessId
};

/// This boot of this machine; "-" where it cannot be known.
std::string boot_id();

/// The lock beside a PID file: flock() on P.lock, for as long as this object lives. It is removed
/// with the file; that the locked file is still the one of that name is checked, so two never hold
/// it. Tried without waiting; may hang all the same on a filesystem that does (os/aside).
class PidFileLock {
 public:
  enum class State {
    ours,
    busy,  ///< somebody holds it
    none,  ///< it cannot be had (ENOLCK, ENOSYS, no permission): gone on without
  };
  explicit PidFileLock(const std::string& path);

  State state() const { return state_; }
  const std::string& trouble() const { return trouble_; }            ///< why there is none
  const std::optional<LockRecord>& found() const { return found_; }  ///< who wrote it last
  Storage storage() const { return storage_; }  ///< network: another host may hold it

  void note(const LockRecord& record) const;  ///< if it is ours
  void remove();                              ///< unlinks it and lets go, if it is ours

 private:
  bool try_once();
  bool fail(const char* what);
  std::string path_;
  Fd fd_;
  State state_ = State::none;
  Storage storage_ = Storage::local;
  std::string trouble_;
  std::optional<LockRecord> found_;
};

}  // namespace pw
