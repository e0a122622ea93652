#include "os/process_environment.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <array>

#include "os/fd.hpp"

namespace pw {
namespace {

constexpr std::size_t kSizeMax = 4 * 1024 * 1024;  // a job's environment may be large

}  // namespace

std::optional<std::string> started_with(pid_t pid, const std::string& variable) {
  const std::string path = "/proc/" + std::to_string(pid) + "/environ";
  const Fd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!file) return {};
  // As if after a variable, so that each one begins in the same way.
  std::string text(1, '\0');
  std::array<char, 16 * 1024> chunk{};
  while (text.size() < kSizeMax) {
    const ssize_t size = read(file.get(), chunk.data(), chunk.size());
    if (size <= 0) break;
    text.append(chunk.data(), static_cast<std::size_t>(size));
  }
  const std::string begin = std::string(1, '\0') + variable + "=";
  const auto found = text.find(begin);
  if (found == std::string::npos) return {};
  const auto value = found + begin.size();
  return text.substr(value, text.find('\0', value) - value);
}

}  // namespace pw
