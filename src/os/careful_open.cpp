#include "os/careful_open.hpp"

#include <fcntl.h>
#include <limits.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdint>
#include <vector>

#include "core/text.hpp"
#include "os/os_error.hpp"

namespace pw {
namespace {

constexpr int kFolder = O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
constexpr int kLinksMax = 40;  // as the kernel counts them (ELOOP)

Error refused(const std::string& what) { return {what, {}}; }

Error cannot(const char* what) { return os_error(std::string("cannot be ") + what); }

// Who else could have put this link here.
bool others_can_write(int folder) {
  struct stat found {};
  if (fstat(folder, &found) != 0) return true;
  const bool trusted_owner = found.st_uid == 0 || found.st_uid == geteuid();
  return !trusted_owner || (found.st_mode & (S_IWGRP | S_IWOTH)) != 0;
}

// The path's components that are still to be walked, the next one last.
class Walk {
 public:
  explicit Walk(const std::string& path) { push(path); }

  void push(const std::string& path) {
    if (path.starts_with('/')) from_root_ = true;
    const auto parts = split(path, '/');
    for (auto part = parts.rbegin(); part != parts.rend(); ++part) {
      if (!part->empty() && *part != ".") left_.emplace_back(*part);
    }
  }
  bool done() const { return left_.empty(); }
  bool from_root() { return std::exchange(from_root_, false); }
  std::string next() {
    std::string name = std::move(left_.back());
    left_.pop_back();
    return name;
  }

 private:
  std::vector<std::string> left_;
  bool from_root_ = false;
};

// /proc/PID/root and its like are no paths: the kernel alone knows where they lead.
bool is_magic(int folder) {
  constexpr std::uint32_t kProc = 0x9FA0;
  struct statfs found {};
  return fstatfs(folder, &found) == 0 && static_cast<std::uint32_t>(found.f_type) == kProc;
}

Result<std::string> link_target(int folder, const std::string& name) {
  std::array<char, PATH_MAX> target{};
  const ssize_t size = readlinkat(folder, name.c_str(), target.data(), target.size() - 1);
  if (size < 0) return cannot("followed");
  return std::string(target.data(), static_cast<std::size_t>(size));
}

std::string real_path(int fd) {
  std::array<char, PATH_MAX> path{};
  const std::string link = "/proc/self/fd/" + std::to_string(fd);
  const ssize_t size = readlink(link.c_str(), path.data(), path.size() - 1);
  return size < 0 ? "" : std::string(path.data(), static_cast<std::size_t>(size));
}

Result<CarefulFile> open_last(int folder, const std::string& name) {
  CarefulFile file;
  if (fstatat(folder, name.c_str(), &file.found, AT_SYMLINK_NOFOLLOW) != 0) return cannot("opened");
  if (!S_ISREG(file.found.st_mode)) return refused(what_it_is(file.found.st_mode));
  constexpr int kHow = O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC;
  file.fd = Fd(openat(folder, name.c_str(), kHow));
  if (!file.fd || fstat(file.fd.get(), &file.found) != 0) return cannot("opened");
  if (!S_ISREG(file.found.st_mode)) return refused(what_it_is(file.found.st_mode));
  file.path = real_path(file.fd.get());
  return file;
}

}  // namespace

const char* what_it_is(mode_t mode) {
  switch (mode & S_IFMT) {
    case S_IFDIR: return "is a directory";
    case S_IFIFO: return "is a FIFO";
    case S_IFLNK: return "is a symbolic link";
    case S_IFSOCK: return "is a socket";
    case S_IFCHR:
    case S_IFBLK: return "is a device";
    default: return "is no regular file";
  }
}

bool on_network_filesystem(int fd) {
  // statfs(2) and linux/magic.h; Lustre, GPFS, BeeGFS and PanFS from their own sources.
  constexpr std::array<std::uint32_t, 18> kNetwork{
      0x6969,      // NFS
      0x517B,      // SMB
      0xFF534D42,  // CIFS
      0xFE534D42,  // SMB 2
      0x0BD00BD0,  // Lustre
      0x47504653,  // GPFS
      0x00C36400,  // Ceph
      0x19830326,  // BeeGFS
      0xAAD7AAEA,  // PanFS
      0x5346414F,  // AFS
      0x6B414653,  // AFS of the kernel
      0x73757245,  // Coda
      0x7461636F,  // OCFS2
      0x01161970,  // GFS2
      0x01021997,  // 9P
      0x786F4256,  // VirtualBox's shared folders
      0x20030528,  // OrangeFS
      0x65735546,  // FUSE: sshfs, gluster, virtiofs
  };
  struct statfs found {};
  // What cannot be known may be another host's.
  if (fstatfs(fd, &found) != 0) return true;
  const auto magic = static_cast<std::uint32_t>(found.f_type);
  return std::find(kNetwork.begin(), kNetwork.end(), magic) != kNetwork.end();
}

Result<CarefulFile> open_carefully(const std::string& path) {
  if (path.empty() || path.ends_with('/')) return refused("is no file's name");
  Walk walk(path);
  if (walk.done()) return refused("is a directory");
  Fd folder(::open(walk.from_root() ? "/" : ".", kFolder));
  if (!folder) return cannot("opened");
  int links = 0;
  for (;;) {
    const std::string name = walk.next();
    if (walk.done()) return open_last(folder.get(), name);
    struct stat found {};
    if (fstatat(folder.get(), name.c_str(), &found, AT_SYMLINK_NOFOLLOW) != 0) {
      return cannot("opened");
    }
    if (S_ISLNK(found.st_mode)) {
      if (++links > kLinksMax) return os_error("cannot be opened", ELOOP);
      if (others_can_write(folder.get())) {
        return refused("is reached by the symbolic link " + name +
                       " in a folder that others can write");
      }
      if (is_magic(folder.get())) {
        folder = Fd(openat(folder.get(), name.c_str(), kFolder & ~O_NOFOLLOW));
      } else {
        PW_TRY(const std::string target, link_target(folder.get(), name));
        walk.push(target);
        if (walk.from_root()) folder = Fd(::open("/", kFolder));
      }
    } else {
      folder = Fd(openat(folder.get(), name.c_str(), kFolder));
    }
    if (!folder) return cannot("opened");
  }
}

}  // namespace pw
