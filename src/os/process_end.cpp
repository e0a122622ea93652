#include "os/process_end.hpp"

#include <fcntl.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "core/number.hpp"
#include "os/process_signal.hpp"
#include "os/process_table.hpp"

namespace pw {
namespace {

// linux/pidfd.h of Linux 6.15; older headers do not have it.
struct PidfdInfo {
  std::uint64_t mask;
  std::uint64_t cgroup;
  std::array<std::uint32_t, 11> ids;
  std::int32_t exit_code;
};
constexpr std::uint64_t kInfoExit = 1 << 3;
constexpr unsigned long kGetInfo = _IOWR(0xFF, 11, PidfdInfo);

}  // namespace

std::optional<ProcessEnd> ProcessEnd::of(const ProcessId& process) {
  Fd pidfd(open_pidfd(process.pid));
  if (!pidfd) return std::nullopt;
  const auto entry = read_process(process.pid);
  if (!entry || entry->id != process) return std::nullopt;
  return ProcessEnd(process, std::move(pidfd));
}

bool ProcessEnd::has_come() const {
  pollfd polled{.fd = pidfd_.get(), .events = POLLIN, .revents = 0};
  return poll(&polled, 1, 0) == 1;
}

// Reaped between the two questions, it is known to the second one.
std::optional<int> ProcessEnd::wait_status() const {
  const auto status = unreaped_status();
  return status ? status : reaped_status();
}

// Field 52 of proc(5) stat; 0 for a process of somebody else.
std::optional<int> ProcessEnd::unreaped_status() const {
  const auto entry = read_process(process_.pid);
  if (!entry || entry->id != process_ || entry->alive()) return std::nullopt;
  const std::string path = "/proc/" + std::to_string(process_.pid) + "/stat";
  const Fd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  std::array<char, 1024> text{};
  const ssize_t size = file ? read(file.get(), text.data(), text.size()) : 0;
  if (size <= 0) return std::nullopt;
  std::string_view rest(text.data(), static_cast<std::size_t>(size));
  rest.remove_prefix(std::min(rest.rfind(')') + 1, rest.size()));
  std::string_view value;
  for (int field = 3; field <= 52; ++field) {
    rest.remove_prefix(std::min(rest.find_first_not_of(' '), rest.size()));
    value = rest.substr(0, rest.find_first_of(" \n"));
    rest.remove_prefix(value.size());
  }
  const auto number = parse_number(value);
  if (!number) return std::nullopt;
  return static_cast<int>(*number);
}

std::optional<int> ProcessEnd::reaped_status() const {
  PidfdInfo info{};
  info.mask = kInfoExit;
  if (ioctl(pidfd_.get(), kGetInfo, &info) != 0 || (info.mask & kInfoExit) == 0) return {};
  return info.exit_code;
}

}  // namespace pw
