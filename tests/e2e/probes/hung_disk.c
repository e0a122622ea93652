// A disk with one file, `journal`, for tests of hung disks: probe_hung_disk MOUNTPOINT
// SIGSTOP hangs it before it takes a request; SIGUSR1 hangs it after: then the caller cannot even
// be killed until this process dies, as with a disk or server that fails in the middle.
#define FUSE_USE_VERSION 31
#include <errno.h>
#include <fuse.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

static off_t size;
static volatile sig_atomic_t hung;

static void hang(int sig) {
  (void)sig;
  hung = 1;
}

static void answer_unless_hung(void) {
  while (hung) pause();
}

static int disk_getattr(const char* path, struct stat* s, struct fuse_file_info* file) {
  (void)file;
  memset(s, 0, sizeof *s);
  if (strcmp(path, "/") == 0) {
    s->st_mode = S_IFDIR | 0755;
    s->st_nlink = 2;
    return 0;
  }
  answer_unless_hung();
  if (strcmp(path, "/journal") != 0) return -ENOENT;
  s->st_mode = S_IFREG | 0644;
  s->st_nlink = 1;
  s->st_size = size;
  return 0;
}

static int disk_open(const char* path, struct fuse_file_info* file) {
  (void)path;
  (void)file;
  answer_unless_hung();
  return 0;
}

static int disk_write(const char* path, const char* data, size_t count, off_t at,
                      struct fuse_file_info* file) {
  (void)path;
  (void)data;
  (void)file;
  answer_unless_hung();
  size = at + (off_t)count;
  return (int)count;
}

int main(int argc, char** argv) {
  static const struct fuse_operations operations = {
      .getattr = disk_getattr, .open = disk_open, .write = disk_write};
  char* arguments[] = {argv[0], argc == 2 ? argv[1] : NULL, "-f", "-s", NULL};
  if (argc != 2) return 121;
  signal(SIGUSR1, hang);
  return fuse_main(4, arguments, &operations, NULL);
}
