#pragma once
#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <string>
#include <vector>

#include "faulty_folder.hpp"

/// A temporary place for a state folder.
class StateFixture : public FaultyFolder {
 public:
  std::string state() const { return root() + "/home/.local/state/preempt-wrap"; }

  std::vector<std::string> names(const std::string& part) const {
    std::vector<std::string> found;
    for (const auto& entry : std::filesystem::directory_iterator(state() + "/" + part)) {
      found.push_back(entry.path().filename());
    }
    return found;
  }

  /// Stamped so long ago, as the filesystem would have.
  void make_older(const std::string& name, int days) const {
    timespec now{};
    clock_gettime(CLOCK_REALTIME, &now);
    const timespec then[2] = {{now.tv_sec - days * 86'400L, 0}, {now.tv_sec - days * 86'400L, 0}};
    const std::string path = state() + "/" + name;
    REQUIRE(utimensat(AT_FDCWD, path.c_str(), then, AT_SYMLINK_NOFOLLOW) == 0);
  }
};

/// Does `work` in a child; its exit status, or minus the signal that ended it.
template <class Work>
int done_by_child(Work work) {
  const pid_t child = fork();
  if (child == 0) {
    work();
    _exit(0);
  }
  int status = 0;
  REQUIRE(waitpid(child, &status, 0) == child);
  return WIFSIGNALED(status) ? -WTERMSIG(status) : WEXITSTATUS(status);
}
