/* The counter-example: a gate that trusts its lock, as such gates are written. Reads the last start
   from a file under flock(2), adds the spacing, writes it back, and prints the start it has given.
       lock_only FILE SPACING_NS HOLDS
   HOLDS is appended to with the instants between which this process believed to be alone. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <time.h>
#include <unistd.h>

static long long now(clockid_t clock) {
  struct timespec at;
  clock_gettime(clock, &at);
  return at.tv_sec * 1000000000LL + at.tv_nsec;
}

int main(int argc, char** argv) {
  if (argc != 4) return 125;
  const long long spacing = atoll(argv[2]);
  const int file = open(argv[1], O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (file < 0 || flock(file, LOCK_EX) != 0) return 1;
  const long long begin = now(CLOCK_MONOTONIC);
  char text[32] = {0};
  if (pread(file, text, sizeof text - 1, 0) < 0) return 1;
  const long long next = atoll(text);
  const long long wall = now(CLOCK_REALTIME);
  const long long start = next > wall ? next : wall;
  usleep(1000); /* a metadata server's round trip */
  const int length = snprintf(text, sizeof text, "%lld\n", start + spacing);
  if (pwrite(file, text, (size_t)length, 0) != length || fsync(file) != 0) return 1;
  const long long end = now(CLOCK_MONOTONIC);
  flock(file, LOCK_UN);
  FILE* holds = fopen(argv[3], "a");
  if (holds == NULL) return 1;
  fprintf(holds, "%lld %lld %lld\n", begin, end, start);
  return fclose(holds) == 0 ? 0 : 1;
}
