// A disk that shows a folder, as a file server would: probe_mirror_disk FOLDER MOUNTPOINT [nolock]
// With "nolock" flock() fails with ENOLCK, as on NFS without its lock daemon.
#define FUSE_USE_VERSION 31
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <fuse.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int root;

static int outcome(int result) { return result < 0 ? -errno : result; }
static const char* local(const char* path) { return path[1] ? path + 1 : "."; }

static int mirror_getattr(const char* path, struct stat* s, struct fuse_file_info* file) {
  (void)file;
  return outcome(fstatat(root, local(path), s, AT_SYMLINK_NOFOLLOW));
}

static int mirror_readdir(const char* path, void* to, fuse_fill_dir_t fill, off_t at,
                          struct fuse_file_info* file, enum fuse_readdir_flags flags) {
  (void)at, (void)file, (void)flags;
  DIR* folder = fdopendir(openat(root, local(path), O_RDONLY | O_DIRECTORY));
  if (!folder) return -errno;
  for (struct dirent* item; (item = readdir(folder));) fill(to, item->d_name, NULL, 0, 0);
  closedir(folder);
  return 0;
}

static int opened(struct fuse_file_info* file, int fd) {
  file->fh = (uint64_t)fd;
  return fd < 0 ? -errno : 0;
}

static int mirror_open(const char* path, struct fuse_file_info* file) {
  return opened(file, openat(root, local(path), file->flags & ~O_NOFOLLOW));
}

static int mirror_create(const char* path, mode_t mode, struct fuse_file_info* file) {
  return opened(file, openat(root, local(path), file->flags | O_CREAT, mode));
}

static int mirror_release(const char* path, struct fuse_file_info* file) {
  (void)path;
  return outcome(close((int)file->fh));
}

static int mirror_read(const char* path, char* to, size_t size, off_t at,
                       struct fuse_file_info* file) {
  (void)path;
  return outcome((int)pread((int)file->fh, to, size, at));
}

static int mirror_write(const char* path, const char* from, size_t size, off_t at,
                        struct fuse_file_info* file) {
  (void)path;
  return outcome((int)pwrite((int)file->fh, from, size, at));
}

static int mirror_truncate(const char* path, off_t size, struct fuse_file_info* file) {
  (void)file;
  const int fd = openat(root, local(path), O_WRONLY);
  const int result = fd < 0 ? -errno : outcome(ftruncate(fd, size));
  if (fd >= 0) close(fd);
  return result;
}

static int mirror_chmod(const char* path, mode_t mode, struct fuse_file_info* file) {
  (void)file;
  return outcome(fchmodat(root, local(path), mode, 0));
}

static int mirror_rename(const char* from, const char* to, unsigned flags) {
  return outcome(renameat2(root, local(from), root, local(to), flags));
}

static int mirror_unlink(const char* path) { return outcome(unlinkat(root, local(path), 0)); }

static int no_lock(const char* path, struct fuse_file_info* file, int op) {
  (void)path, (void)file, (void)op;
  return -ENOLCK;
}

int main(int argc, char** argv) {
  struct fuse_operations operations = {
      .getattr = mirror_getattr, .readdir = mirror_readdir, .open = mirror_open,
      .create = mirror_create, .release = mirror_release, .read = mirror_read,
      .write = mirror_write, .truncate = mirror_truncate, .chmod = mirror_chmod,
      .rename = mirror_rename, .unlink = mirror_unlink};
  if (argc < 3 || (root = open(argv[1], O_RDONLY | O_DIRECTORY | O_CLOEXEC)) < 0) return 121;
  if (argc > 3 && strcmp(argv[3], "nolock") == 0) operations.flock = no_lock;
  char* arguments[] = {argv[0], argv[2], "-f", "-s", NULL};
  return fuse_main(4, arguments, &operations, NULL);
}
