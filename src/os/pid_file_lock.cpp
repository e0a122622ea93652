#include "os/pid_file_lock.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cinttypes>
#include <cstdio>

#include "os/careful_open.hpp"
#include "os/os_error.hpp"

namespace pw {
namespace {

// A longer file of that name is somebody's work (Cargo.lock beside a P called Cargo).
constexpr off_t kRecordMax = 512;
constexpr int kTriesMax = 10;
// Between somebody's flock() and its line are microseconds; on a file server, more.
constexpr int kLooksAtBusy = 10;
constexpr useconds_t kBetweenLooks = 20'000;

std::optional<LockRecord> read_record(int fd) {
  std::array<char, kRecordMax + 1> text{};
  if (pread(fd, text.data(), text.size() - 1, 0) <= 0) return {};
  std::array<char, 256> host{};
  std::array<char, 64> boot{};
  LockRecord record;
  const int taken = std::sscanf(text.data(), "%255s %63s %d %d %" SCNu64, host.data(), boot.data(),
                                &record.wrapper, &record.trainer, &record.start);
  if (taken != 5) return {};
  record.host = host.data();
  record.boot = boot.data();
  return record;
}

bool same_file(const struct stat& a, const struct stat& b) {
  return a.st_ino == b.st_ino && a.st_dev == b.st_dev;
}

}  // namespace

std::string boot_id() {
  const Fd file(::open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC));
  std::array<char, 37> id{};
  if (!file || read(file.get(), id.data(), id.size() - 1) != 36) return "-";
  return id.data();
}

PidFileLock::PidFileLock(const std::string& path) : path_(path + ".lock") {
  bool settled = false;
  for (int tries = 0; tries < kTriesMax && !settled; ++tries) settled = try_once();
  // Taken and removed by others all the time.
  if (!settled) state_ = State::busy;
  if (!fd_) return;
  if (on_network_filesystem(fd_.get())) storage_ = Storage::network;
  found_ = read_record(fd_.get());
  for (int look = 0; state_ == State::busy && !found_ && look < kLooksAtBusy; ++look) {
    usleep(kBetweenLooks);
    found_ = read_record(fd_.get());
  }
}

bool PidFileLock::fail(const char* what) {
  trouble_ = os_error(std::string(what) + " " + path_).text();
  state_ = State::none;
  fd_.reset();
  return true;
}

// False: the file was removed between our open and our lock; once more.
bool PidFileLock::try_once() {
  constexpr int kHow = O_RDWR | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC;
  struct stat locked {};
  struct stat named {};
  if (lstat(path_.c_str(), &named) == 0 && !S_ISREG(named.st_mode)) {
    trouble_ = path_ + " " + what_it_is(named.st_mode);
    return true;
  }
  fd_ = Fd(::open(path_.c_str(), kHow | O_CREAT, 0644));
  if (!fd_ || fstat(fd_.get(), &locked) != 0) return fail("open");
  if (locked.st_size > kRecordMax) {
    trouble_ = path_ + " is no lock of a PID file";
    fd_.reset();
    return true;
  }
  if (flock(fd_.get(), LOCK_EX | LOCK_NB) != 0) {
    if (errno != EWOULDBLOCK) return fail("lock");
    state_ = State::busy;
    return true;
  }
  if (lstat(path_.c_str(), &named) != 0 || !same_file(locked, named)) return false;
  state_ = State::ours;
  return true;
}

void PidFileLock::note(const LockRecord& record) const {
  if (state_ != State::ours) return;
  std::array<char, kRecordMax> text{};
  std::snprintf(text.data(), text.size(), "%s %s %d %d %" PRIu64 "\n", record.host.c_str(),
                record.boot.c_str(), record.wrapper, record.trainer, record.start);
  const std::string line = text.data();
  // What cannot be written costs the next owner a proof, not us.
  if (ftruncate(fd_.get(), 0) != 0) return;
  [[maybe_unused]] const ssize_t size = pwrite(fd_.get(), line.data(), line.size(), 0);
}

void PidFileLock::remove() {
  if (state_ == State::ours) unlink(path_.c_str());
  state_ = State::none;
  fd_.reset();
}

}  // namespace pw
