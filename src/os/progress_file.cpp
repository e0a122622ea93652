#include "os/progress_file.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>

#include "os/careful_open.hpp"
#include "os/fd.hpp"
#include "os/os_error.hpp"

namespace pw {
namespace {

constexpr std::size_t kLineMax = 64;

}  // namespace

Result<std::optional<Progress>> read_progress(const std::string& path) {
  // O_NONBLOCK: a FIFO in its place must not hang us.
  const Fd file(::open(path.c_str(), O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC));
  if (!file && errno == ENOENT) return std::optional<Progress>();
  struct stat found {};
  if (!file || fstat(file.get(), &found) != 0) return os_error("open " + path);
  if (!S_ISREG(found.st_mode)) return Error{path + " " + what_it_is(found.st_mode), {}};
  std::array<char, kLineMax> line{};
  const ssize_t size = read(file.get(), line.data(), line.size());
  if (size < 0) return os_error("read " + path);
  constexpr std::int64_t kNanosPerSecond = 1'000'000'000;
  const std::string_view text(line.data(), static_cast<std::size_t>(size));
  // A line that goes on beyond what was read is no number of ours.
  const bool whole = text.find('\n') != text.npos || text.size() < kLineMax;
  if (const auto number = whole ? progress_number(text) : std::nullopt) {
    return std::optional(Progress{.number = number});
  }
  return std::optional(
      Progress{.written = found.st_mtim.tv_sec * kNanosPerSecond + found.st_mtim.tv_nsec,
               .size = found.st_size});
}

}  // namespace pw
