#include "faulty_calls.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <time.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdarg>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <map>
#include <optional>
#include <sstream>
#include <vector>

namespace {

struct Row {
  std::string call;
  int first = 0;
  int last = 0;
  std::string what;
};

struct State {
  std::vector<Row> rows;
  std::map<std::string, int> counts;
  faulty::Clocks ahead;
  pid_t process = 0;
};

const std::map<std::string, int> kErrors = {
    {"ENOSPC", ENOSPC}, {"EROFS", EROFS},   {"EACCES", EACCES}, {"ENOLCK", ENOLCK},
    {"ENOSYS", ENOSYS}, {"EDQUOT", EDQUOT}, {"EIO", EIO},       {"ESTALE", ESTALE},
    {"EPERM", EPERM},   {"ENOENT", ENOENT}, {"EEXIST", EEXIST}, {"EOPNOTSUPP", EOPNOTSUPP},
    {"EINTR", EINTR},   {"EAGAIN", EAGAIN}};

[[noreturn]] void unreadable(const std::string& row) {
  std::fprintf(stderr, "PW_TEST_FAULTS: %s\n", row.c_str());
  std::_Exit(99);
}

Row parse_row(const std::string& text) {
  std::istringstream in(text);
  Row row;
  std::string which;
  if (!std::getline(in, row.call, ':') || !std::getline(in, which, ':') ||
      !std::getline(in, row.what)) {
    unreadable(text);
  }
  const auto dash = which.find('-');
  row.first = std::atoi(which.c_str());
  row.last = dash == std::string::npos ? row.first : std::atoi(which.c_str() + dash + 1);
  if (dash != std::string::npos && row.last == 0) row.last = 1 << 30;
  static const std::array<const char*, 7> kDeeds{
      "empty", "exists-after", "kill-before", "kill-after", "hang", "nfs", "gpfs"};
  bool known = kErrors.contains(row.what);
  for (const char* deed : kDeeds) known = known || row.what == deed;
  if (row.first < 1 || row.last < row.first || !known) unreadable(text);
  return row;
}

void read_table(State& state, const std::string& table) {
  state.rows.clear();
  state.counts.clear();
  state.process = getpid();
  std::istringstream in(table);
  for (std::string row; std::getline(in, row, ',');) state.rows.push_back(parse_row(row));
}

State& state() {
  static State* const made = [] {
    auto* const fresh = new State;
    const char* const table = std::getenv("PW_TEST_FAULTS");
    read_table(*fresh, table == nullptr ? "" : table);
    const char* const ahead = std::getenv("PW_TEST_CLOCK_AHEAD");
    if (ahead != nullptr) fresh->ahead.real = std::atoll(ahead);
    return fresh;
  }();
  if (made->process != getpid()) {
    made->process = getpid();
    made->counts.clear();
  }
  return *made;
}

std::string fault_of(const char* call) {
  State& now = state();
  const int own = ++now.counts[call];
  const int any = ++now.counts["any"];
  for (const Row& row : now.rows) {
    const int count = row.call == "any" ? any : own;
    if ((row.call == "any" || row.call == call) && count >= row.first && count <= row.last) {
      return row.what;
    }
  }
  return "";
}

// One call: what shall happen, and the call itself.
template <class Call>
auto do_faulty(const std::string& what, Call call) -> decltype(call()) {
  if (what.empty()) return call();
  const auto error = kErrors.find(what);
  if (error != kErrors.end()) {
    errno = error->second;
    return -1;
  }
  if (what == "empty") return 0;
  if (what == "kill-before") raise(SIGKILL);
  while (what == "hang") pause();
  const auto result = call();
  if (what == "kill-after") raise(SIGKILL);
  if (what == "exists-after") {
    errno = EEXIST;
    return -1;
  }
  return result;
}

template <class Call>
auto faulty_call(const char* name, Call call) -> decltype(call()) {
  return do_faulty(fault_of(name), call);
}

std::int64_t monotonic() {
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec * 1'000'000'000 + now.tv_nsec;
}

void note_lock(int operation) {
  static const char* const path = std::getenv("PW_TEST_LOCKS");
  static std::int64_t taken_at = 0;
  if (path == nullptr) return;
  if (operation != LOCK_UN) {
    taken_at = monotonic();
    return;
  }
  std::array<char, 80> line{};
  const int size = std::snprintf(line.data(), line.size(), "%d %lld %d\n", int(getpid()),
                                 static_cast<long long>(monotonic() - taken_at), faulty::calls());
  const int file = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  if (file < 0 || write(file, line.data(), static_cast<std::size_t>(size)) != size) std::abort();
  close(file);
}

}  // namespace

namespace faulty {

void set(const std::string& table) { read_table(state(), table); }

int calls() { return state().counts["any"]; }

void set(Clocks ahead) { state().ahead = ahead; }

}  // namespace faulty

// NOLINTBEGIN(bugprone-reserved-identifier): the linker's names
extern "C" {

int __real_symlinkat(const char* target, int folder, const char* name);
ssize_t __real_readlinkat(int folder, const char* name, char* target, size_t size);
int __real_unlinkat(int folder, const char* name, int flags);
int __real_renameat(int from, const char* name, int to, const char* other);
int __real_mkdirat(int folder, const char* name, mode_t mode);
int __real_mkdir(const char* name, mode_t mode);
int __real_openat(int folder, const char* name, int flags, ...);
int __real_fstatat(int folder, const char* name, struct stat* found, int flags);
int __real_flock(int fd, int operation);
int __real_fcntl(int fd, int command, ...);
int __real_fstatfs(int fd, struct statfs* found);
ssize_t __real_pwrite(int fd, const void* text, size_t size, off_t offset);
int __real_ftruncate(int fd, off_t size);
int __real_clock_gettime(clockid_t clock, timespec* now);

int __wrap_symlinkat(const char* target, int folder, const char* name) {
  return faulty_call("symlinkat", [&] { return __real_symlinkat(target, folder, name); });
}

ssize_t __wrap_readlinkat(int folder, const char* name, char* target, size_t size) {
  return faulty_call("readlinkat", [&] { return __real_readlinkat(folder, name, target, size); });
}

int __wrap_unlinkat(int folder, const char* name, int flags) {
  return faulty_call("unlinkat", [&] { return __real_unlinkat(folder, name, flags); });
}

int __wrap_renameat(int from, const char* name, int to, const char* other) {
  return faulty_call("renameat", [&] { return __real_renameat(from, name, to, other); });
}

int __wrap_mkdirat(int folder, const char* name, mode_t mode) {
  return faulty_call("mkdirat", [&] { return __real_mkdirat(folder, name, mode); });
}

int __wrap_mkdir(const char* name, mode_t mode) {
  return faulty_call("mkdir", [&] { return __real_mkdir(name, mode); });
}

int __wrap_openat(int folder, const char* name, int flags, ...) {
  va_list rest;
  va_start(rest, flags);
  const mode_t mode = (flags & O_CREAT) != 0 ? va_arg(rest, mode_t) : 0;
  va_end(rest);
  return faulty_call("openat", [&] { return __real_openat(folder, name, flags, mode); });
}

int __wrap_fstatat(int folder, const char* name, struct stat* found, int flags) {
  return faulty_call("fstatat", [&] { return __real_fstatat(folder, name, found, flags); });
}

int __wrap_flock(int fd, int operation) {
  const int result = faulty_call("flock", [&] { return __real_flock(fd, operation); });
  if (result == 0) note_lock(operation);
  return result;
}

int __wrap_fcntl(int fd, int command, ...) {
  va_list rest;
  va_start(rest, command);
  void* const argument = va_arg(rest, void*);  // an int is passed on as well (System V, AAPCS)
  va_end(rest);
  if (command != F_OFD_SETLK) return __real_fcntl(fd, command, argument);
  return faulty_call("fcntl", [&] { return __real_fcntl(fd, command, argument); });
}

int __wrap_fstatfs(int fd, struct statfs* found) {
  const std::string what = fault_of("fstatfs");
  const int result = do_faulty(what, [&] { return __real_fstatfs(fd, found); });
  if (what == "nfs") found->f_type = 0x6969;
  if (what == "gpfs") found->f_type = 0x47504653;
  return result;
}

ssize_t __wrap_pwrite(int fd, const void* text, size_t size, off_t offset) {
  return faulty_call("pwrite", [&] { return __real_pwrite(fd, text, size, offset); });
}

int __wrap_ftruncate(int fd, off_t size) {
  return faulty_call("ftruncate", [&] { return __real_ftruncate(fd, size); });
}

int __wrap_clock_gettime(clockid_t clock, timespec* now) {
  const int result = __real_clock_gettime(clock, now);
  if (clock == CLOCK_REALTIME) now->tv_sec += state().ahead.real;
  if (clock == CLOCK_MONOTONIC) now->tv_sec += state().ahead.monotonic;
  return result;
}
}
// NOLINTEND(bugprone-reserved-identifier)
