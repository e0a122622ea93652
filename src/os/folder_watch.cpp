#include "os/folder_watch.hpp"

#include <dirent.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <map>
#include <memory>

namespace pw {
namespace {

constexpr std::uint32_t kEvents =
    IN_CLOSE_WRITE | IN_MOVED_TO | IN_CREATE | IN_DELETE | IN_ATTRIB | IN_MOVE_SELF;
constexpr int kFoldersOfOne = 16;

}  // namespace

FolderWatch::FolderWatch() : fd_(inotify_init1(IN_NONBLOCK | IN_CLOEXEC)) {}

bool FolderWatch::add(const std::string& folder) {
  return inotify_add_watch(fd_.get(), folder.c_str(), kEvents | IN_ONLYDIR | IN_DONT_FOLLOW) >= 0;
}

bool FolderWatch::drain() const {
  alignas(inotify_event) std::array<char, 4096> events{};
  bool any = false;
  for (ssize_t size; (size = read(fd_.get(), events.data(), events.size())) > 0; any = true) {
    for (ssize_t at = 0; at < size;) {
      const auto* event = reinterpret_cast<const inotify_event*>(events.data() + at);
      // Under its new name it is added anew, if it is still one of ours.
      if ((event->mask & IN_MOVE_SELF) != 0) inotify_rm_watch(fd_.get(), event->wd);
      at += static_cast<ssize_t>(sizeof *event + event->len);
    }
  }
  return any;
}

std::vector<std::string> folders_of(const std::string& folder) {
  std::vector<std::string> found;
  std::map<uid_t, int> owned;
  const std::unique_ptr<DIR, int (*)(DIR*)> opened(opendir(folder.c_str()), closedir);
  if (!opened) return found;
  while (const dirent* item = readdir(opened.get())) {
    if (item->d_name[0] == '.') continue;
    const std::string path = folder + "/" + item->d_name;
    struct stat facts {};
    if (lstat(path.c_str(), &facts) != 0 || !S_ISDIR(facts.st_mode)) continue;
    const bool roots = facts.st_uid == 0;
    if (roots || ++owned[facts.st_uid] <= kFoldersOfOne) found.push_back(path);
  }
  return found;
}

}  // namespace pw
