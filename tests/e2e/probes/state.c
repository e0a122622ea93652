// Writes what a program starts with as one JSON object: probe_state FILE
// FILE is opened last, so that it is not among the descriptors; no /proc is needed.
#define _GNU_SOURCE
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

static char text[200000];
static size_t used;

#define ADD(...) (used += snprintf(text + used, sizeof text - used, __VA_ARGS__))

static void add_signals(const char* name, int (*has)(int)) {
  const char* comma = "";
  ADD("\"%s\": [", name);
  for (int sig = 1; sig <= 64; ++sig) {
    if (sig == 32 || sig == 33 || !has(sig)) continue;  // those two belong to the C library
    ADD("%s%d", comma, sig);
    comma = ", ";
  }
  ADD("], ");
}

static sigset_t mask, pending;

static int is_blocked(int sig) { return sigismember(&mask, sig) == 1; }
static int is_pending(int sig) { return sigismember(&pending, sig) == 1; }
static int is_ignored(int sig) {
  struct sigaction action;
  return sigaction(sig, NULL, &action) == 0 && action.sa_handler == SIG_IGN;
}

static void add_descriptors(void) {
  const char* comma = "";
  ADD("\"fds\": {");
  for (int fd = 0; fd < 1024; ++fd) {
    struct stat s;
    if (fstat(fd, &s) != 0) continue;
    ADD("%s\"%d\": [%d, %llu, %llu, %d]", comma, fd, (int)(s.st_mode & S_IFMT),
        (unsigned long long)s.st_dev, (unsigned long long)s.st_ino, fcntl(fd, F_GETFL));
    comma = ", ";
  }
  ADD("}, ");
}

static void add_limits(void) {
  ADD("\"limits\": [");
  for (int which = 0; which < RLIM_NLIMITS; ++which) {
    struct rlimit limit = {0, 0};
    getrlimit(which, &limit);
    ADD("%s[%llu, %llu]", which ? ", " : "", (unsigned long long)limit.rlim_cur,
        (unsigned long long)limit.rlim_max);
  }
  ADD("], ");
}

int main(int argc, char** argv) {
  int death_signal = -1, subreaper = -1;
  char here[4096];
  if (argc != 2) return 121;
  sigprocmask(SIG_BLOCK, NULL, &mask);
  sigpending(&pending);
  prctl(PR_GET_PDEATHSIG, &death_signal);
  prctl(PR_GET_CHILD_SUBREAPER, &subreaper);
  const int umask_now = umask(0);
  umask(umask_now);
  ADD("{\"pid\": %d, \"ppid\": %d, \"pgid\": %d, \"sid\": %d, ", (int)getpid(), (int)getppid(),
      (int)getpgrp(), (int)getsid(0));
  add_signals("blocked", is_blocked);
  add_signals("ignored", is_ignored);
  add_signals("pending", is_pending);
  add_descriptors();
  add_limits();
  const int terminal = open("/dev/tty", O_RDWR | O_NOCTTY);
  ADD("\"foreground\": %d, ", terminal < 0 ? -1 : (int)tcgetpgrp(terminal));
  ADD("\"death_signal\": %d, \"umask\": %d, \"nice\": %d, \"policy\": %d, ", death_signal,
      umask_now, getpriority(PRIO_PROCESS, 0), sched_getscheduler(0));
  ADD("\"subreaper\": %d, ", subreaper);
  ADD("\"dumpable\": %d, \"slack\": %d, \"no_new_privs\": %d, \"cwd\": \"%s\"}\n",
      prctl(PR_GET_DUMPABLE), prctl(PR_GET_TIMERSLACK), prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0),
      getcwd(here, sizeof here) ? here : "?");
  FILE* file = fopen(argv[1], "w");
  if (!file || fwrite(text, 1, used, file) != used || fclose(file) != 0) return 122;
  return 0;
}
