#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <thread>

#include "core/number.hpp"
#include "os/gate_folder.hpp"
#include "os/ledger.hpp"
#include "os/os_error.hpp"
#include "os/own_folder.hpp"

// The ledger's words for all: `ctl`, and the announcements in `go`.
namespace pw {
namespace {

constexpr std::size_t kControlMax = 400;
constexpr int kCtl = O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC;

struct Announcement {
  std::string name;
  std::int64_t seconds;
};

std::optional<Announcement> parse_announcement(const std::string& name) {
  const auto dot = name.rfind('.');
  if (dot == std::string::npos) return {};
  const auto seconds = parse_number(std::string_view(name).substr(dot + 1));
  if (!seconds) return {};
  return Announcement{name, *seconds};
}

}  // namespace

// Opened, read and closed each time: only so do clients of NFS look at what others wrote.
Result<std::string> Ledger::control() {
  requests_ += 3;
  Fd file(openat(folder_.get(), "ctl", O_RDONLY | kCtl));
  if (!file && (errno == ENOENT || errno == ESTALE)) {
    if (!is_named(folder_.get(), path_)) {
      if (const auto attached = attach(); !attached) return attached.error();
    }
    if (const auto made = make_control(folder_.get()); !made) return made.error();
    file = Fd(openat(folder_.get(), "ctl", O_RDONLY | kCtl));
  }
  std::array<char, kControlMax> text{};
  const ssize_t size = file ? read(file.get(), text.data(), text.size()) : -1;
  if (size < 0) return os_error("read " + path_ + "/ctl");
  const std::string_view all(text.data(), static_cast<std::size_t>(size));
  return std::string(all.substr(0, all.find('\n')));
}

// Over the old text and cut behind it: who reads meanwhile sees one whole line, old or new.
Result<void> Ledger::write_control(std::string_view text) {
  const std::string line = std::string(text) + "\n";
  if (line.size() > kControlMax) return os_error("write a longer ctl", EINVAL);
  requests_ += 3;
  const Fd file(openat(folder_.get(), "ctl", O_WRONLY | kCtl));
  const bool written =
      file &&
      pwrite(file.get(), line.data(), line.size(), 0) == static_cast<ssize_t>(line.size()) &&
      ftruncate(file.get(), static_cast<off_t>(line.size())) == 0;
  if (!written) return os_error("write " + path_ + "/ctl");
  return {};
}

Result<void> Ledger::change_control(const Change& change) {
  for (int tries = 0; tries < 50 && lock_.try_lock() == FileLock::Try::busy; ++tries) {
    std::this_thread::sleep_for(Millis(20));
  }
  const auto changed = [&]() -> Result<void> {
    PW_TRY(const std::string old, control());
    PW_TRY(const std::string text, change(old));
    return write_control(text);
  }();
  lock_.unlock();
  return changed;
}

Result<void> Ledger::announce(const std::string& key, std::int64_t seconds, std::string_view text) {
  constexpr std::int64_t kKeepFor = 3600;
  const std::string name = "go/" + key + "." + std::to_string(seconds);
  const std::string target(text);
  ++requests_;
  if (symlinkat(target.c_str(), folder_.get(), name.c_str()) != 0) {
    if (errno == ENOENT) mkdirat(folder_.get(), "go", 0700);
    // The same key in the same second: the later word counts.
    if (errno == EEXIST) unlinkat(folder_.get(), name.c_str(), 0);
    ++requests_;
    if (symlinkat(target.c_str(), folder_.get(), name.c_str()) != 0) {
      return os_error("write " + path_ + "/" + name);
    }
  }
  const auto found = names("go");
  if (!found) return {};
  for (const std::string& other : *found) {
    const auto parsed = parse_announcement(other);
    const bool outdated = parsed && parsed->seconds < seconds && other.starts_with(key + ".");
    if (outdated || (parsed && parsed->seconds < seconds - kKeepFor)) {
      unlinkat(folder_.get(), ("go/" + other).c_str(), 0);
    }
  }
  return {};
}

// By the list: on NFS what was once looked for in vain stays absent for a minute.
Result<std::optional<std::string>> Ledger::announced(const std::string& key) {
  auto found = names("go");
  if (!found && found.error().why == std::errc::no_such_file_or_directory) {
    return std::optional<std::string>();
  }
  if (!found) return found.error();
  std::optional<Announcement> newest;
  for (const std::string& name : *found) {
    if (!name.starts_with(key + ".")) continue;
    const auto parsed = parse_announcement(name);
    if (parsed && (!newest || parsed->seconds > newest->seconds)) newest = parsed;
  }
  if (!newest) return std::optional<std::string>();
  const std::string text = target_of("go/" + newest->name, Look::once);
  // Gone already, or not to be seen yet: the next look tells.
  if (text.empty()) return std::optional<std::string>();
  return std::optional<std::string>(text);
}

}  // namespace pw
