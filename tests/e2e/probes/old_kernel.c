// Runs a command as if the kernel were Linux 4.18: probe_old_kernel ENOSYS|EPERM|memory COMMAND...
// Every system call added later fails: with ENOSYS as there, or with EPERM as old container
// engines answer for calls that they do not know. x86-64: 334 is rseq (4.18), 424 came in 5.1.
// "memory": they forbid process_vm_readv() as well.
#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

int main(int argc, char** argv) {
  if (argc < 3) return 121;
  const unsigned error = strcmp(argv[1], "ENOSYS") == 0 ? ENOSYS : EPERM;
  const unsigned forbidden = strcmp(argv[1], "memory") == 0 ? SYS_process_vm_readv : 424;
  struct sock_filter steps[] = {
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, forbidden, 1, 0),
      BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, 424, 0, 1),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | error),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
  };
  struct sock_fprog program = {sizeof steps / sizeof *steps, steps};
  if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 ||
      prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) != 0) {
    perror("seccomp");
    return 122;
  }
  execvp(argv[2], argv + 2);
  return 127;
}
