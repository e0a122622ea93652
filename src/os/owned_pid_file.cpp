#include "os/owned_pid_file.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>

#include "os/careful_open.hpp"
#include "os/os_error.hpp"
#include "os/pid_file_reading.hpp"
#include "os/pid_target.hpp"
#include "os/process_table.hpp"
#include "os/replace_file.hpp"

namespace pw {
namespace {

std::string named(const ProcessEntry& entry) {
  return entry.name + " (pid " + std::to_string(entry.id.pid) + ")";
}

// The exact process that the last owner noted in the lock.
bool is_recorded(const ProcessEntry& entry, const LockRecord& record) {
  return entry.alive() && entry.id == ProcessId{record.trainer, record.start};
}

// Of a file that may be one; empty where it cannot be read.
std::string text_of(const std::string& path) {
  const Fd file(::open(path.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC));
  std::array<char, kPidFileMax> text{};
  const ssize_t size = file ? read(file.get(), text.data(), text.size()) : -1;
  return std::string(text.data(), static_cast<std::size_t>(std::max<ssize_t>(size, 0)));
}

}  // namespace

OwnedPidFile::OwnedPidFile(std::string path, std::string host, int wrapper)
    : path_(std::move(path)),
      us_{.host = std::move(host), .boot = boot_id(), .wrapper = wrapper},
      lock_(path_) {}

std::string OwnedPidFile::claim() {
  std::string owner = holder();
  if (owner.empty()) owner = living_owner();
  if (owner.empty()) lock_.note(us_);
  // What we made to look is not left behind.
  if (!owner.empty() && !lock_.found()) lock_.remove();
  return owner;
}

// A lock that another host holds proves nobody alive on this one.
std::string OwnedPidFile::holder() const {
  if (lock_.state() != PidFileLock::State::busy) return "";
  const auto& record = lock_.found();
  if (record && record->host == us_.host) {
    const auto trainer = read_process(record->trainer);
    const std::string wrapper = "preempt-wrap " + std::to_string(record->wrapper);
    return trainer && is_recorded(*trainer, *record) ? named(*trainer) + " of " + wrapper : wrapper;
  }
  return record || lock_.storage() == Storage::network ? "" : "whoever holds " + path_ + ".lock";
}

std::string OwnedPidFile::living_owner() {
  const auto& record = lock_.found();
  struct stat there {};
  if (lstat(path_.c_str(), &there) != 0) return "";
  const bool link = S_ISLNK(there.st_mode);
  const bool too_long = S_ISREG(there.st_mode) && there.st_size > static_cast<off_t>(kPidFileMax);
  const bool words = S_ISREG(there.st_mode) && !too_long && holds_words(text_of(path_));
  if (!link && (!S_ISREG(there.st_mode) || too_long || words)) {
    given_up_ = true;
    if (!record) lock_.remove();
    const char* const what = too_long ? "is too long for a PID file"
                             : words  ? "holds words, and no number"
                                      : what_it_is(there.st_mode);
    warn(std::string(what) + ": it is left as it is, and no PID file is written");
    return "";
  }
  const auto file = read_pid_file(path_);
  if (!file) {
    warnings_.push_back(file.error().text() + "; it is replaced");
    return "";
  }
  const bool recorded = record && record->trainer == file->pid;
  if (recorded && record->host != us_.host) {
    warn("was written on host " + record->host + "; it is replaced");
    return "";
  }
  const auto target = PidTarget::prove(*file, asker_here(HostRule::this_host));
  const auto entry = target ? read_process(target->id().pid) : std::nullopt;
  const bool alive =
      entry && (!recorded || (record->boot == us_.boot && is_recorded(*entry, *record)));
  if (alive) return named(*entry);
  const std::string left = path_ + " was left behind by process " + std::to_string(file->pid);
  const bool judged = !target && target.error().why != std::errc::no_such_process;
  warnings_.push_back((judged ? target.error().text() : left) + "; it is replaced");
  return "";
}

void OwnedPidFile::write(int trainer) {
  if (given_up_) return;
  const auto entry = read_process(trainer);
  if (!entry) return;  // it has ended, and nobody shall find its number
  us_.trainer = trainer;
  us_.start = entry->id.start;
  lock_.note(us_);
  if (!replace_by(trainer)) return;
  if (lock_.state() == PidFileLock::State::none) {
    warn("is not locked (" + lock_.trouble() + "): two owners would not know of each other");
  }
}

bool OwnedPidFile::replace_by(int pid) {
  const auto made = replace_file(path_, std::to_string(pid) + "\n");
  if (!made) {
    warnings_.push_back("no PID file: " + made.error().text());
    return false;
  }
  written_ = pid;
  device_ = made->st_dev;
  inode_ = made->st_ino;
  return true;
}

bool OwnedPidFile::still_ours() const {
  const Fd file(::open(path_.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC));
  struct stat found {};
  if (!file || fstat(file.get(), &found) != 0) return false;
  std::array<char, kPidFileMax> text{};
  const ssize_t size = read(file.get(), text.data(), text.size());
  if (size <= 0 || found.st_dev != device_ || found.st_ino != inode_) return false;
  // A number in the place of ours may have got our inode.
  const auto pid = parse_pid({text.data(), static_cast<std::size_t>(size)});
  return pid && *pid == written_;
}

void OwnedPidFile::remove() {
  if (written_ != 0) {
    if (still_ours()) {
      if (unlink(path_.c_str()) != 0 && errno != ENOENT) {
        // Whoever finds it finds the lock beside it.
        return warnings_.push_back(os_error("remove " + path_).text());
      }
    } else if (access(path_.c_str(), F_OK) == 0) {
      warn("is somebody else's by now; it is left there");
    }
  }
  written_ = 0;
}

void OwnedPidFile::leave() {
  if (written_ == 0) lock_.remove();
}

}  // namespace pw
