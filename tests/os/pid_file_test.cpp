#include "os/pid_file.hpp"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <vector>

#include "os/careful_open.hpp"
#include "os/clock.hpp"
#include "os/fd.hpp"
#include "os/owned_pid_file.hpp"
#include "os/pid_file_reading.hpp"
#include "os/pid_target.hpp"
#include "os/process_table.hpp"

using namespace pw;

namespace {

struct Folder {
  std::string path = "/tmp/pw-pid-XXXXXX";
  Folder() {
    REQUIRE(mkdtemp(path.data()) != nullptr);
    chmod(path.c_str(), 0755);
  }
  Folder(const Folder&) = delete;
  ~Folder() { std::filesystem::remove_all(path); }
  std::string operator/(const std::string& name) const { return path + "/" + name; }
  bool has(const std::string& name) const { return access((*this / name).c_str(), F_OK) == 0; }
};

void write_text(const std::string& path, const std::string& text) { std::ofstream(path) << text; }

std::string text_of(const std::string& path) {
  std::ostringstream text;
  text << std::ifstream(path).rdbuf();
  return text.str();
}

// A child that does nothing until it is told to.
class Sleeper {
 public:
  Sleeper() : pid_(fork()) {
    if (pid_ != 0) return;
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, nullptr);
    for (;;) pause();
  }
  Sleeper(const Sleeper&) = delete;
  ~Sleeper() {
    kill(pid_, SIGKILL);
    waitpid(pid_, nullptr, 0);
  }
  int pid() const { return pid_; }

 private:
  pid_t pid_;
};

Instant soon() { return monotonic_now() + Seconds(10); }

constexpr const char* kHost = "n1";

}  // namespace

TEST_CASE("written, locked, and gone with its lock at the end") {
  const Folder folder;
  const Sleeper trainer;
  OwnedPidFile file(folder / "t.pid", kHost, 4710);
  CHECK(file.claim().empty());
  file.write(trainer.pid());
  CHECK(text_of(folder / "t.pid") == std::to_string(trainer.pid()) + "\n");
  {
    OwnedPidFile second(folder / "t.pid", kHost, 4720);
    const std::string owner = second.claim();
    CHECK(owner.find("(pid " + std::to_string(trainer.pid()) + ") of preempt-wrap 4710") !=
          std::string::npos);
  }
  file.remove();
  CHECK_FALSE(folder.has("t.pid"));
  CHECK(folder.has("t.pid.lock"));
  file.leave();
  CHECK_FALSE(folder.has("t.pid.lock"));
  CHECK(file.take_warnings().empty());
}

TEST_CASE("a lock whose file was removed under us is no lock") {
  const Folder folder;
  const std::string path = folder / "t.pid";
  PidFileLock first(path);
  REQUIRE(first.state() == PidFileLock::State::ours);
  CHECK(PidFileLock(path).state() == PidFileLock::State::busy);
  unlink((path + ".lock").c_str());
  PidFileLock second(path);
  CHECK(second.state() == PidFileLock::State::ours);
  CHECK(PidFileLock(path).state() == PidFileLock::State::busy);
  second.remove();
  CHECK_FALSE(folder.has("t.pid.lock"));
}

TEST_CASE("of many who take and remove it all the time two never hold it") {
  const Folder folder;
  const std::string path = folder / "t.pid";
  const auto take_often = [&] {
    for (int i = 0; i < 2000; ++i) {
      PidFileLock lock(path);
      if (lock.state() != PidFileLock::State::ours) continue;
      const Fd alone(open((folder / "alone").c_str(), O_CREAT | O_EXCL | O_WRONLY, 0600));
      if (!alone) _exit(1);
      lock.note({.host = kHost, .boot = "-"});
      unlink((folder / "alone").c_str());
      lock.remove();
    }
    _exit(0);
  };
  std::vector<pid_t> takers;
  for (int i = 0; i < 4; ++i) {
    const pid_t pid = fork();
    if (pid == 0) take_often();
    takers.push_back(pid);
  }
  for (const pid_t taker : takers) {
    int status = 0;
    waitpid(taker, &status, 0);
    CHECK(status == 0);
  }
}

TEST_CASE("the number of a process that has ended is not written") {
  const Folder folder;
  int ended = 0;
  {
    const Sleeper trainer;
    ended = trainer.pid();
  }
  OwnedPidFile file(folder / "t.pid", kHost, 4710);
  CHECK(file.claim().empty());
  file.write(ended);
  CHECK_FALSE(folder.has("t.pid"));
}

TEST_CASE("the keeper does it all, and never lets us wait") {
  const Folder folder;
  const Sleeper trainer;
  auto file = PidFile::start(folder / "t.pid", kHost);
  REQUIRE(file.has_value());
  CHECK(file->wait_for_owner(soon()).empty());
  file->write(trainer.pid());
  while (file->trouble_fd() >= 0) {
    pollfd told{.fd = file->trouble_fd(), .events = POLLIN, .revents = 0};
    REQUIRE(poll(&told, 1, 10'000) == 1);
    CHECK(file->troubles().empty());
  }
  CHECK(text_of(folder / "t.pid") == std::to_string(trainer.pid()) + "\n");
  auto second = PidFile::start(folder / "t.pid", kHost);
  REQUIRE(second.has_value());
  CHECK_FALSE(second->wait_for_owner(soon()).empty());
  file->close(soon());
  CHECK(file->troubles().empty());
  CHECK_FALSE(folder.has("t.pid"));
  CHECK_FALSE(folder.has("t.pid.lock"));
}

TEST_CASE("a keeper that hangs costs no more than the limits, and is told of") {
  const Folder folder;
  auto file = PidFile::start(folder / "t.pid", kHost);
  REQUIRE(file.has_value());
  CHECK(file->wait_for_owner(soon()).empty());
  REQUIRE(kill(file->helper().pid, SIGSTOP) == 0);
  waitpid(file->helper().pid, nullptr, WUNTRACED);
  file->write(getpid());
  file->remove();
  const Instant begin = monotonic_now();
  file->close(begin + Millis(50));
  CHECK(monotonic_now() - begin >= Millis(50));
  CHECK(file->troubles().size() == 1);
}

TEST_CASE("a target is proven from its file, and signalled") {
  const Folder folder;
  const Sleeper trainer;
  write_text(folder / "t.pid", std::to_string(trainer.pid()) + "\n");
  const auto id = read_target_pid_file(folder / "t.pid", HostRule::this_host, soon());
  REQUIRE(id.has_value());
  CHECK(*id == read_process(trainer.pid())->id);
  const auto file = read_pid_file(folder / "t.pid");
  REQUIRE(file.has_value());
  CHECK(file->path == folder / "t.pid");
  CHECK(file->storage == Storage::local);
  const auto target = PidTarget::prove(*file, asker_here(HostRule::this_host));
  REQUIRE(target.has_value());
  CHECK(target->alive());
  CHECK(target->handling(SIGUSR1) == Handling::deadly);
  CHECK(target->send(SIGKILL) == 0);
  pollfd ended{.fd = target->fd(), .events = POLLIN, .revents = 0};
  poll(&ended, 1, 10'000);
  CHECK_FALSE(target->alive());
  CHECK(PidTarget::prove(*file, asker_here(HostRule::this_host)).error().why ==
        std::errc::no_such_process);
}

TEST_CASE("a target that is refused says why in one line") {
  const Folder folder;
  write_text(folder / "t.pid", "0\n");
  const auto refused = read_target_pid_file(folder / "t.pid", HostRule::this_host, soon());
  REQUIRE_FALSE(refused.has_value());
  CHECK(refused.error().text() == folder / "t.pid" + " holds 0, which is nobody's to end");
  const auto absent = read_target_pid_file(folder / "no.pid", HostRule::this_host, soon());
  REQUIRE_FALSE(absent.has_value());
  CHECK(absent.error().text() ==
        folder / "no.pid" + " cannot be opened: No such file or directory");
  write_text(folder / "us.pid", std::to_string(getpid()));
  CHECK_FALSE(read_target_pid_file(folder / "us.pid", HostRule::this_host, soon()).has_value());
}

TEST_CASE("where a file really lies, and by which links it may be reached") {
  const Folder folder;
  std::filesystem::create_directories(folder / "real");
  write_text(folder / "real/t.pid", "2\n");
  std::filesystem::create_symlink("real", folder / "way");
  std::filesystem::create_symlink("real/t.pid", folder / "t.pid");
  std::filesystem::create_symlink("loop", folder / "loop");
  const auto file = open_carefully(folder / "way/../real/./t.pid");
  REQUIRE(file.has_value());
  CHECK(file->path == folder / "real/t.pid");
  CHECK(open_carefully(folder / "way/t.pid").has_value());
  CHECK(open_carefully(folder / "t.pid").error().what == "is a symbolic link");
  CHECK(open_carefully(folder / "loop/t.pid").error().why.value() == ELOOP);
  CHECK_FALSE(open_carefully("").has_value());
  CHECK_FALSE(open_carefully("/").has_value());
  CHECK(open_carefully("/proc/self/cwd").error().what == "is a symbolic link");
  CHECK(open_carefully("/proc/self/root" + (folder / "real/t.pid")).has_value());
  chmod(folder.path.c_str(), 0777);
  CHECK_FALSE(open_carefully(folder / "way/t.pid").has_value());
  CHECK(open_carefully(folder / "real/t.pid").has_value());
}
