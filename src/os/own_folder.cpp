#include "os/own_folder.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <memory>

#include "os/os_error.hpp"

namespace pw {
namespace {

constexpr int kFolder = O_RDONLY | O_DIRECTORY | O_CLOEXEC;
constexpr mode_t kOthersWrite = S_IWGRP | S_IWOTH;

struct CloseFolder {
  void operator()(DIR* list) const { closedir(list); }
};

Error refused(const std::string& what) { return {what, {}}; }

// Each missing component, from the left.
Result<void> make_with_parents(const std::string& path) {
  for (std::size_t end = path.find('/', 1);; end = path.find('/', end + 1)) {
    const std::string part = path.substr(0, end);
    if (mkdir(part.c_str(), 0700) != 0 && errno != EEXIST) {
      // A parent that is there may be on a read-only filesystem, or not ours to write.
      const int why = errno;
      struct stat found {};
      if (stat(part.c_str(), &found) != 0) return os_error("cannot be made", why);
    }
    if (end == std::string::npos) return {};
  }
}

// In a sticky folder (/tmp) only the owners of a name and of the folder can move it.
bool others_can_replace_in(const struct stat& parent) {
  constexpr uid_t kOverflow = 65534;  // root, seen from a user namespace without it
  if ((parent.st_mode & kOthersWrite) == 0) return false;
  const bool trusted =
      parent.st_uid == 0 || parent.st_uid == geteuid() || parent.st_uid == kOverflow;
  return (parent.st_mode & S_ISVTX) == 0 || !trusted;
}

// As it was written: what leads there may be a link, which those who can write beside it replace.
Result<void> check_way(const std::string& path) {
  for (std::size_t end = path.find('/', 1); end != std::string::npos;
       end = path.find('/', end + 1)) {
    const std::string part = path.substr(0, end);
    struct stat found {};
    if (stat(part.c_str(), &found) != 0) return os_error("cannot be checked in " + part);
    const bool last = path.find_first_not_of('/', end) == std::string::npos;
    if (!last && others_can_replace_in(found))
      return refused("lies in " + part + ", where others can write");
  }
  return {};
}

Result<void> check_parents(const std::string& path) {
  const std::unique_ptr<char, decltype(&std::free)> real(realpath(path.c_str(), nullptr),
                                                         &std::free);
  if (!real) return os_error("cannot be opened");
  std::string parent = real.get();
  while (parent.size() > 1) {
    parent.erase(std::max<std::size_t>(parent.rfind('/'), 1));
    struct stat found {};
    if (lstat(parent.c_str(), &found) != 0) return os_error("cannot be checked in " + parent);
    if (others_can_replace_in(found))
      return refused("lies in " + parent + ", where others can write");
  }
  return {};
}

Result<void> check_itself(int folder) {
  struct stat found {};
  if (fstat(folder, &found) != 0) return os_error("cannot be opened");
  if (found.st_uid != geteuid()) return refused("belongs to user " + std::to_string(found.st_uid));
  if ((found.st_mode & kOthersWrite) != 0) return refused("can be written by others");
  return {};
}

}  // namespace

Result<Fd> open_own_folder(const std::string& path) {
  if (path.empty()) return refused("is no folder's name");
  Fd folder(::open(path.c_str(), kFolder));
  if (!folder && errno == ENOENT) {
    if (const auto made = make_with_parents(path); !made) return made.error();
    folder = Fd(::open(path.c_str(), kFolder));
  }
  if (!folder && errno == ENOTDIR) return refused("is not a directory");
  if (!folder) return os_error("cannot be opened");
  if (const auto checked = check_parents(path); !checked) return checked.error();
  if (const auto checked = check_way(path); !checked) return checked.error();
  if (const auto checked = check_itself(folder.get()); !checked) return checked.error();
  return folder;
}

bool is_named(int folder, const std::string& path) {
  struct stat ours {};
  struct stat named {};
  if (fstat(folder, &ours) != 0) return errno != ENOENT && errno != ESTALE;
  if (ours.st_nlink == 0) return false;
  // What cannot be known is not taken for a change.
  if (stat(path.c_str(), &named) != 0) return errno != ENOENT && errno != ENOTDIR;
  return ours.st_dev == named.st_dev && ours.st_ino == named.st_ino;
}

Result<std::vector<std::string>> names_in(int folder, const char* name) {
  const auto failed = [name] { return os_error(std::string("list ") + name); };
  Fd fd(openat(folder, name, kFolder));
  if (!fd) return failed();
  const std::unique_ptr<DIR, CloseFolder> list(fdopendir(fd.get()));
  if (!list) return failed();
  fd.release();
  std::vector<std::string> names;
  for (;;) {
    errno = 0;
    const dirent* const entry = readdir(list.get());
    if (entry == nullptr && errno != 0) return failed();
    if (entry == nullptr) return names;
    names.emplace_back(entry->d_name);
  }
}

}  // namespace pw
