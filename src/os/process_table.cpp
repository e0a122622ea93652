#include "os/process_table.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <memory>

#include "core/number.hpp"
#include "os/clock.hpp"
#include "os/fd.hpp"
#include "os/os_error.hpp"
#include "os/process_signal.hpp"

namespace pw {
namespace {

// `PID (name) S ppid pgrp session ...`; a name may hold blanks and parentheses, so the last one
// counts. Fields by proc(5): 3 state, 4 ppid, 5 pgrp, 20 num_threads, 22 starttime.
std::optional<ProcessEntry> parse_stat(std::string_view text) {
  const auto open = text.find('(');
  const auto close = text.rfind(')');
  if (open == std::string_view::npos || close == std::string_view::npos || close < open) return {};
  ProcessEntry entry;
  entry.id.pid = std::atoi(text.data());
  entry.name = text.substr(open + 1, close - open - 1);
  std::string_view rest = text.substr(close + 1);
  for (int field = 3; field <= 22; ++field) {
    rest.remove_prefix(std::min(rest.find_first_not_of(' '), rest.size()));
    if (rest.empty()) return {};
    const std::string_view value = rest.substr(0, rest.find(' '));
    rest.remove_prefix(value.size());
    const auto number = parse_number(value);
    if (field == 3) entry.state = value[0];
    if (field == 4) entry.parent = static_cast<int>(number.value_or(0));
    if (field == 5) entry.group = static_cast<int>(number.value_or(0));
    if (field == 20) entry.threads = static_cast<int>(number.value_or(1));
    if (field == 22) entry.id.start = static_cast<std::uint64_t>(number.value_or(0));
  }
  return entry;
}

std::optional<ProcessEntry> read_stat(int proc, const char* pid) {
  std::array<char, 32> path{};
  std::strncpy(path.data(), pid, path.size() - 8);
  std::strcat(path.data(), "/stat");
  const Fd file(openat(proc, path.data(), O_RDONLY | O_CLOEXEC));
  if (!file) return {};
  std::array<char, 1024> text{};
  const ssize_t size = read(file.get(), text.data(), text.size() - 1);
  if (size <= 0) return {};
  return parse_stat({text.data(), static_cast<std::size_t>(size)});
}

}  // namespace

bool proc_is_ours() {
  std::array<char, 16> pid{};
  return readlink("/proc/self", pid.data(), pid.size() - 1) > 0 &&
         std::atoi(pid.data()) == getpid();
}

Result<ProcessTable> read_process_table() {
  const std::unique_ptr<DIR, int (*)(DIR*)> proc(opendir("/proc"), closedir);
  if (!proc) return os_error("open /proc");
  const auto ourselves = read_stat(dirfd(proc.get()), "self");
  if (!ourselves || ourselves->id.pid != getpid()) {
    return os_error("find ourselves in /proc", ENOENT);
  }
  ProcessTable table;
  const Instant limit = monotonic_now() + kTableLimit;
  for (int seen = 0; const dirent* item = readdir(proc.get()); ++seen) {
    if (seen % 64 == 63 && monotonic_now() > limit) {
      table.whole = false;
      break;
    }
    if (item->d_name[0] < '1' || item->d_name[0] > '9') continue;
    if (auto entry = read_stat(dirfd(proc.get()), item->d_name)) {
      table.entries.push_back(std::move(*entry));
    }
  }
  return table;
}

std::optional<ProcessEntry> read_process(pid_t pid) {
  const Fd proc(::open("/proc", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!proc) return {};
  return read_stat(proc.get(), std::to_string(pid).c_str());
}

int send_to_process(const ProcessId& process, Signal signal, const Payload& payload) {
  const Fd pidfd(open_pidfd(process.pid));
  const int open_error = errno;
  if (!pidfd && open_error == ESRCH) return ESRCH;
  const auto entry = read_process(process.pid);
  if (!entry || entry->id != process) return ESRCH;
  if (pidfd) return send_by_pidfd(pidfd.get(), signal, payload);
  // Linux before 5.3: a moment stays between the look and the signal.
  return send_by_pid(process.pid, signal, payload);
}

}  // namespace pw
