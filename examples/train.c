// A trainer in C that can be preempted:  cc -O2 -o train train.c && preempt-wrap -- ./train
// The handler takes note; between two steps the state is saved and the program ends with 128 + the
// signal's number.
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static volatile sig_atomic_t notice;

static void on_notice(int number) {
  if (!notice) notice = number;  // the first one counts
}

static int load(void) {
  int step = 0;
  FILE* file = fopen("checkpoint", "r");
  if (file && fscanf(file, "%d", &step) != 1) step = 0;
  if (file) fclose(file);
  return step;
}

// A new file that then takes the old one's name: a crash leaves one of the two, whole.
static void save(int step) {
  FILE* file = fopen("checkpoint.tmp", "w");
  if (!file || fprintf(file, "%d\n", step) < 0 || fflush(file) || fsync(fileno(file)) ||
      fclose(file) || rename("checkpoint.tmp", "checkpoint")) {
    perror("checkpoint");
    exit(1);
  }
}

int main(void) {
  const char* wanted = getenv("STEPS");
  const int steps = wanted ? atoi(wanted) : 100;
  // SA_RESTART: reads and writes of the training are not broken off.
  struct sigaction act = {.sa_handler = on_notice, .sa_flags = SA_RESTART};
  sigaction(SIGUSR1, &act, NULL);
  sigaction(SIGTERM, &act, NULL);
  int step = load();
  printf("train: from step %d\n", step);
  fflush(stdout);
  while (step < steps) {
    usleep(100000);  // the work of one step
    ++step;
    if (notice) break;
  }
  save(step);
  printf("train: %s step %d\n", notice ? "saved" : "finished at", step);
  return notice ? 128 + notice : 0;
}
