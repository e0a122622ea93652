#include "run.hpp"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <system_error>
#include <utility>

#include "proc.hpp"

namespace pw::bench {
namespace {

std::atomic<bool> interrupted = false;

// Holds the records of a whole storm, so that the child never waits for us.
constexpr int kPipeBytes = 1 << 20;

void check(int error, const char* what) {
  if (error != 0) throw std::system_error(error, std::generic_category(), what);
}

enum class Interrupts { heeded, passed_by };

bool happens(int fd, short events, Instant due, Interrupts interrupts) {
  for (;;) {
    if (interrupted && interrupts == Interrupts::heeded) throw Interrupted();
    const auto left = std::max(due - now(), Nanos(0));
    const auto seconds = std::chrono::duration_cast<Seconds>(left);
    const timespec timeout{seconds.count(), (left - seconds).count()};
    pollfd polled{.fd = fd, .events = events, .revents = 0};
    if (const int count = ppoll(&polled, 1, &timeout, nullptr); count >= 0) return count > 0;
    if (errno != EINTR) check(errno, "ppoll");
  }
}

std::optional<record> read_record(int fd, Instant due, Interrupts interrupts) {
  record told;
  if (!happens(fd, POLLIN, due, interrupts)) return {};
  if (read(fd, &told, sizeof told) != sizeof told) return {};
  return told;
}

int dev_null() {
  static const int fd = open("/dev/null", O_RDWR | O_CLOEXEC);
  return fd;
}

pid_t spawn(const std::vector<std::string>& words, int out) {
  static const char* const kEnvironment[] = {"PATH=/usr/local/bin:/usr/bin:/bin",
                                             "HOME=/nonexistent", "LC_ALL=C", nullptr};
  std::vector<char*> argv;
  for (const std::string& word : words) argv.push_back(const_cast<char*>(word.c_str()));
  argv.push_back(nullptr);

  posix_spawn_file_actions_t files;
  posix_spawn_file_actions_init(&files);
  posix_spawn_file_actions_adddup2(&files, dev_null(), STDIN_FILENO);
  posix_spawn_file_actions_adddup2(&files, out, STDOUT_FILENO);
  posix_spawn_file_actions_adddup2(&files, dev_null(), STDERR_FILENO);
  posix_spawnattr_t attributes;
  posix_spawnattr_init(&attributes);
  // A session of its own: no contender takes our terminal or signals our group.
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSID | POSIX_SPAWN_SETSIGMASK);
  sigset_t none;
  sigemptyset(&none);
  posix_spawnattr_setsigmask(&attributes, &none);

  pid_t pid = -1;
  const int error = posix_spawn(&pid, argv[0], &files, &attributes, argv.data(),
                                const_cast<char* const*>(kEnvironment));
  posix_spawnattr_destroy(&attributes);
  posix_spawn_file_actions_destroy(&files);
  check(error, words[0].c_str());
  return pid;
}

}  // namespace

void keep_house() {
  struct sigaction action {};
  action.sa_handler = [](int) { interrupted = true; };
  for (const int signal : {SIGINT, SIGTERM, SIGHUP}) sigaction(signal, &action, nullptr);
  prctl(PR_SET_CHILD_SUBREAPER, 1);
}

void reap_orphans() {
  for (const ChildFacts& child : children_of(getpid())) {
    if (child.state == 'Z') waitpid(child.pid, nullptr, WNOHANG);
  }
}

Run::Run(const std::vector<std::string>& words) {
  if (interrupted) throw Interrupted();
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) check(errno, "pipe2");
  fcntl(ends[1], F_SETPIPE_SZ, kPipeBytes);
  out_ = Fd(ends[0]);
  const Fd write_end(ends[1]);
  begun_ = now();
  pid_ = spawn(words, write_end.get());
  pidfd_ = open_pidfd(pid_);
}

Run::Run(Run&& other) noexcept { *this = std::move(other); }

// Swapped: the other one's destructor ends what was ours.
Run& Run::operator=(Run&& other) noexcept {
  std::swap(pid_, other.pid_);
  std::swap(child_, other.child_);
  std::swap(out_, other.out_);
  std::swap(pidfd_, other.pidfd_);
  std::swap(begun_, other.begun_);
  std::swap(ended_, other.ended_);
  return *this;
}

Run::~Run() {
  if (pid_ > 0) end();
}

// The child is killed only as an orphan of ours: a PID that its parent reaped may be another's.
void Run::end() {
  if (!ended_) {
    ::kill(pid_, SIGKILL);
    waitpid(pid_, nullptr, 0);
  }
  const Instant due = now() + Seconds(2);
  while (!happens(out_.get(), 0, now() + Millis(1), Interrupts::passed_by) && now() < due) {
    // A child that has not told its PID yet tells it soon.
    const auto told = read_record(out_.get(), now() + Millis(1), Interrupts::passed_by);
    if (told) child_ = told->pid;
    if (child_ > 0 && waitpid(child_, nullptr, WNOHANG) == 0) ::kill(child_, SIGKILL);
  }
  if (child_ > 0) waitpid(child_, nullptr, 0);
}

std::optional<record> Run::next(Nanos limit) {
  const auto told = read_record(out_.get(), now() + limit, Interrupts::heeded);
  if (told) child_ = told->pid;
  return told;
}

std::optional<record> Run::next(int what, Nanos limit) {
  const Instant due = now() + limit;
  std::optional<record> told;
  do {
    told = next(std::max(due - now(), Nanos(0)));
  } while (told && told->what != what);
  return told;
}

// No event is asked for: the end of the pipe is always told.
bool Run::nothing_left(Nanos limit) {
  return happens(out_.get(), 0, now() + limit, Interrupts::heeded);
}

std::optional<Ended> Run::wait(Nanos limit) {
  if (ended_ || !happens(pidfd_.get(), POLLIN, now() + limit, Interrupts::heeded)) return ended_;
  int status = 0;
  waitpid(pid_, &status, 0);
  ended_ = Ended{status, now()};
  return ended_;
}

Instant instant_of(const record& told) { return Instant(Nanos(told.at)); }

Fd open_pidfd(pid_t pid) {
  Fd fd(static_cast<int>(syscall(SYS_pidfd_open, pid, 0)));
  if (!fd) check(errno, "pidfd_open");
  return fd;
}

}  // namespace pw::bench
