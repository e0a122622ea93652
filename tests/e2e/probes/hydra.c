// A process that is always somebody else: probe_hydra LOG MS
// Each generation starts its own session, notes its PID, forks the next one after MS
// milliseconds and exits. It ignores every signal: only a KILL that looks again ends it.
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

int main(int argc, char** argv) {
  char line[32];
  const int log_fd = argc == 3 ? open(argv[1], O_WRONLY | O_CREAT | O_APPEND, 0666) : -1;
  if (log_fd < 0) return 121;
  const int ms = atoi(argv[2]);
  const struct timespec life = {ms / 1000, ms % 1000 * 1000000L};
  for (int sig = 1; sig <= 64; ++sig)
    if (sig != SIGCHLD) signal(sig, SIG_IGN);
  for (;;) {
    const int n = snprintf(line, sizeof line, "%d\n", (int)getpid());
    if (write(log_fd, line, n) != n) return 122;
    nanosleep(&life, NULL);
    const pid_t next = fork();
    if (next > 0) return 0;
    if (next == 0) setsid();
  }
}
