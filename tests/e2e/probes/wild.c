// wild SECONDS: forks and exits wildly below itself, with no handler for USR1; then installs one and
// waits for it: exit 138. Exit 99: a child was killed by a signal, which nobody should have sent.
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { kMost = 40 };

static unsigned seed = 1;

static unsigned dice(void) {
  seed = seed * 1664525u + 1013904223u;
  return seed >> 8;
}

static void live(void) {
  const struct timespec some = {0, (long)(dice() % 4000000)};
  nanosleep(&some, NULL);
}

// A third leave a child behind that becomes an orphan.
static void child(void) {
  if (dice() % 3 == 0 && fork() == 0) live();
  live();
  _exit(0);
}

static void on_usr1(int signal) { _exit(128 + signal); }

int main(int argc, char** argv) {
  const time_t end = time(NULL) + (argc > 1 ? atoi(argv[1]) : 5);
  int alive = 0, killed = 0;
  while (time(NULL) < end || alive > 0) {
    if (alive < kMost && time(NULL) < end) {
      const unsigned next = dice();
      if (fork() == 0) {
        seed = next;
        child();
      }
      ++alive;
      continue;
    }
    int status = 0;
    if (wait(&status) > 0) --alive;
    if (WIFSIGNALED(status)) ++killed;
  }
  if (killed) return 99;
  signal(SIGUSR1, on_usr1);
  for (;;) pause();
}
