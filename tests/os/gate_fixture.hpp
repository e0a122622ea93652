#pragma once
#include <doctest/doctest.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <string>
#include <vector>

#include "faulty_folder.hpp"
#include "os/ledger.hpp"
#include "os/ledger_line.hpp"

/// A temporary folder for gates.
class GateFixture : public FaultyFolder {
 public:
  std::string gate() const { return root() + "/gate"; }
  std::string entry(std::uint64_t number) const { return gate() + "/" + pw::entry_name(number); }
  bool has(std::uint64_t number) const {
    struct stat found {};
    return lstat(entry(number).c_str(), &found) == 0;
  }
  void garble(std::uint64_t number, const char* target) const {
    unlink(entry(number).c_str());
    REQUIRE(symlink(target, entry(number).c_str()) == 0);
  }
};

/// Puts a text after the newest, as the keeper does.
inline void put(pw::Ledger& ledger, const std::string& text) {
  for (int tries = 0; tries < 100; ++tries) {
    const auto head = ledger.head();
    REQUIRE(head.has_value());
    const auto outcome = ledger.commit(*head, text);
    REQUIRE(outcome.has_value());
    if (*outcome == pw::Ledger::Outcome::done) return;
  }
  FAIL("never done");
}

inline pw::Result<void> set_control(pw::Ledger& ledger, const std::string& text) {
  return ledger.change_control([&](const std::string&) { return text; });
}

inline void fill(pw::Ledger& ledger, int count) {
  for (int i = 1; i <= count; ++i) put(ledger, "t=" + std::to_string(i));
}

inline std::vector<std::string> texts(pw::Ledger& ledger) {
  const auto entries = ledger.entries();
  REQUIRE(entries.has_value());
  std::vector<std::string> found;
  for (const auto& entry : *entries) found.push_back(entry.text);
  return found;
}

/// Does `work` in a child; its exit status, or minus the signal that ended it.
template <class Work>
int in_child(Work work) {
  const pid_t child = fork();
  if (child == 0) {
    work();
    _exit(0);
  }
  int status = 0;
  REQUIRE(waitpid(child, &status, 0) == child);
  return WIFSIGNALED(status) ? -WTERMSIG(status) : WEXITSTATUS(status);
}
