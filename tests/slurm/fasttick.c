/* A preload shim for slurmctld, for tests only. Slurm looks at time limits, --signal and the end
 * of GraceTime once in PERIODIC_TIMEOUT = 30 s, a compile-time constant. slurmctld exports its
 * own check to its plugins (it is linked with -rdynamic), so a thread in it can call that check
 * every FASTTICK_MS milliseconds, once the file FASTTICK_GO exists: before that the controller
 * may still be restoring its state. Needs `slurmctld -D`: a daemon's fork would lose the thread.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* slurmctld_lock_t of Slurm 22.05; 0 is no lock, 1 read, 2 write. */
struct locks {
    int conf, job, node, part, fed;
};

static useconds_t period;
static char go[4096];

static void *tick(void *unused) {
    void (*check)(void) = (void (*)(void))dlsym(RTLD_DEFAULT, "job_time_limit");
    void (*lock)(struct locks) = (void (*)(struct locks))dlsym(RTLD_DEFAULT, "lock_slurmctld");
    void (*unlock)(struct locks) = (void (*)(struct locks))dlsym(RTLD_DEFAULT, "unlock_slurmctld");
    const struct locks wanted = {1, 2, 2, 1, 1};

    if (!check || !lock || !unlock) return unused;
    while (access(go, F_OK) != 0) usleep(period);
    for (;;) {
        usleep(period);
        lock(wanted);
        check();
        unlock(wanted);
    }
}

__attribute__((constructor)) static void start(void) {
    const char *ms = getenv("FASTTICK_MS"), *file = getenv("FASTTICK_GO");
    sigset_t all, before;
    pthread_t thread;

    /* `env` is the first program to load us; only slurmctld has what we call. */
    if (!strstr(program_invocation_short_name, "slurmctld")) return;
    if (!ms || !file || strlen(file) >= sizeof go) return;
    strcpy(go, file);
    period = (useconds_t)atol(ms) * 1000;
    unsetenv("LD_PRELOAD"); /* what slurmctld starts has no use for the shim */
    sigfillset(&all);
    pthread_sigmask(SIG_BLOCK, &all, &before); /* the thread must never take its signals */
    if (pthread_create(&thread, NULL, tick, NULL) == 0) pthread_detach(thread);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
}
