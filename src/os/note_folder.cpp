#include "os/note_folder.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <thread>

#include "os/os_error.hpp"
#include "os/own_folder.hpp"
#include "os/random.hpp"

namespace pw {
namespace {

constexpr std::size_t kTargetMax = 1023;
constexpr int kLooks = 10;  // GlusterFS shows a fresh link as empty for a moment
constexpr Millis kBetweenLooks{20};

Error with_path(const std::string& path, const Error& error) {
  return {path + " " + error.what, error.why};
}

// Hidden, so that no reader takes it for a note; one that was left behind is pruned like any.
std::string temporary_name(const std::string& name) {
  return "." + name + "." + std::to_string(getpid()) + "." + std::to_string(random_bits());
}

}  // namespace

Result<NoteFolder> NoteFolder::open(const std::string& state, const std::string& part) {
  if (const auto whole = open_own_folder(state); !whole) return with_path(state, whole.error());
  std::string path = state + "/" + part;
  auto folder = open_own_folder(path);
  if (!folder) return with_path(path, folder.error());
  return NoteFolder(std::move(path), std::move(*folder));
}

Error NoteFolder::cannot(const char* what, const std::string& name, int why) const {
  return os_error(std::string(what) + " " + path_ + "/" + name, why);
}

Result<bool> NoteFolder::make(const std::string& name, const std::string& text) {
  if (symlinkat(text.c_str(), folder_.get(), name.c_str()) == 0) return true;
  const int why = errno;
  // NFS sends a request again whose answer was lost, and then says that the name exists; and an
  // error may come after the deed.
  const auto there = read(name);
  if (there && *there == text) return true;
  if (why == EEXIST) return false;
  return cannot("write", name, why);
}

Result<std::optional<std::string>> NoteFolder::read(const std::string& name) {
  std::array<char, kTargetMax + 1> target{};
  for (int look = 0; look < kLooks; ++look) {
    if (look > 0) std::this_thread::sleep_for(kBetweenLooks);
    const ssize_t size = readlinkat(folder_.get(), name.c_str(), target.data(), target.size());
    if (size > 0) return std::optional(std::string(target.data(), static_cast<std::size_t>(size)));
    if (size < 0 && errno == ENOENT) return std::optional<std::string>();
    if (size < 0 && errno == EINVAL) break;  // not a link, so none of ours
    if (size < 0) return cannot("read", name, errno);
  }
  return std::optional(std::string());
}

Result<void> NoteFolder::replace(const std::string& name, const std::string& text) {
  const std::string temporary = temporary_name(name);
  if (symlinkat(text.c_str(), folder_.get(), temporary.c_str()) != 0) {
    return cannot("write", name, errno);
  }
  if (renameat(folder_.get(), temporary.c_str(), folder_.get(), name.c_str()) == 0) return {};
  const int why = errno;
  unlinkat(folder_.get(), temporary.c_str(), 0);
  const auto there = read(name);
  if (there && *there == text) return {};
  return cannot("replace", name, why);
}

Result<void> NoteFolder::remove(const std::string& name) {
  if (unlinkat(folder_.get(), name.c_str(), 0) == 0 || errno == ENOENT) return {};
  return cannot("remove", name, errno);
}

Result<std::vector<std::string>> NoteFolder::names() {
  auto found = names_in(folder_.get(), ".");
  if (!found) return os_error("list " + path_, found.error().why.value());
  std::erase_if(*found, [](const std::string& name) { return name.starts_with('.'); });
  return found;
}

std::optional<Nanos> NoteFolder::stamp(const std::string& name) {
  struct stat found {};
  if (fstatat(folder_.get(), name.c_str(), &found, AT_SYMLINK_NOFOLLOW) != 0) return {};
  if (!S_ISLNK(found.st_mode)) return {};
  return Seconds(found.st_mtim.tv_sec) + Nanos(found.st_mtim.tv_nsec);
}

bool NoteFolder::there() const { return is_named(folder_.get(), path_); }

void NoteFolder::prune(const std::string& fresh, Nanos age) {
  const auto now = stamp(fresh);
  const auto found = names_in(folder_.get(), ".");
  if (!now || !found) return;
  // Not always the same ones: those behind a crowd of young ones have their turn, too.
  const std::size_t begin = found->empty() ? 0 : random_bits() % found->size();
  for (std::size_t i = 0; i < found->size() && i < kPruned; ++i) {
    const std::string& name = (*found)[(begin + i) % found->size()];
    const auto written = stamp(name);
    if (written && *now - *written > age) unlinkat(folder_.get(), name.c_str(), 0);
  }
}

}  // namespace pw
