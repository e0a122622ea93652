// A trainer whose manner is written in its arguments:
//   probe_trainer LOG [RULE]...
//     SIG=log         note the signal (SIG is a number, or "all")
//     SIG=exit:N      note it and exit N
//     SIG=save:MS:N   note it, take MS milliseconds, note "saved", exit N
//     SIG=ignore      SIG_IGN
//     end=MS:N        exit N by itself after MS milliseconds
// Each event is one line, written at once: NANOSECONDS PID EVENT [SIG SENDER CODE VALUE]
#define _GNU_SOURCE
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum Act { kDefault, kLog, kExit, kSave };
struct Rule {
  enum Act act;
  int ms;
  int code;
};

static struct Rule rules[65];
static int log_fd;
static long long end_at;  // 0: never
static int end_code;
static int saving;

static long long now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec * 1000000000LL + t.tv_nsec;
}

static void note(const char* event) {
  char line[160];
  const int n = snprintf(line, sizeof line, "%lld %d %s\n", now(), (int)getpid(), event);
  if (write(log_fd, line, n) != n) _exit(120);
}

static void end_after(int ms, int code) {
  end_at = now() + ms * 1000000LL;
  end_code = code;
}

// Runs only inside ppoll() below, where all else is quiet: snprintf is safe here.
static void on_signal(int sig, siginfo_t* info, void* context) {
  (void)context;
  char event[100];
  snprintf(event, sizeof event, "got %d %d %d %d", sig, (int)info->si_pid, info->si_code,
           info->si_code == SI_QUEUE ? info->si_value.sival_int : 0);
  note(event);
  const struct Rule* rule = &rules[sig];
  if (rule->act == kExit) _exit(rule->code);
  if (rule->act == kSave && !saving) {
    saving = 1;
    end_after(rule->ms, rule->code);
  }
}

static void apply(int sig, const char* manner) {
  struct sigaction action = {.sa_sigaction = on_signal, .sa_flags = SA_SIGINFO | SA_RESTART};
  struct Rule* rule = &rules[sig];
  sigfillset(&action.sa_mask);
  if (strcmp(manner, "ignore") == 0) {
    action.sa_handler = SIG_IGN;
    action.sa_flags = 0;
  } else if (strcmp(manner, "log") == 0) {
    rule->act = kLog;
  } else if (sscanf(manner, "exit:%d", &rule->code) == 1) {
    rule->act = kExit;
  } else if (sscanf(manner, "save:%d:%d", &rule->ms, &rule->code) == 2) {
    rule->act = kSave;
  } else {
    _exit(121);
  }
  if (sigaction(sig, &action, NULL) != 0) _exit(122);
}

static int can_be_caught(int sig) {
  return sig != SIGKILL && sig != SIGSTOP && sig != 32 && sig != 33;
}

int main(int argc, char** argv) {
  sigset_t all, none;
  sigfillset(&all);
  sigemptyset(&none);
  sigprocmask(SIG_BLOCK, &all, NULL);
  if (argc < 2 || (log_fd = open(argv[1], O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666)) < 0)
    return 123;
  for (int i = 2; i < argc; ++i) {
    int ms, code;
    const char* manner = strchr(argv[i], '=');
    if (!manner) return 121;
    if (sscanf(argv[i], "end=%d:%d", &ms, &code) == 2) {
      end_after(ms, code);
    } else if (strncmp(argv[i], "all=", 4) == 0) {
      for (int sig = 1; sig <= 64; ++sig)
        if (can_be_caught(sig)) apply(sig, manner + 1);
    } else {
      apply(atoi(argv[i]), manner + 1);
    }
  }
  note("ready");
  for (;;) {
    const long long left = end_at ? end_at - now() : 0;
    if (end_at && left <= 0) break;
    const struct timespec wait = {left / 1000000000LL, left % 1000000000LL};
    ppoll(NULL, 0, end_at ? &wait : NULL, &none);
  }
  if (saving) note("saved");
  _exit(end_code);
}
