#pragma once
#include <signal.h>
#include <sys/types.h>

#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

#include "clock.hpp"
#include "os/fd.hpp"
#include "record.h"

namespace pw::bench {

struct Interrupted : std::runtime_error {
  Interrupted() : std::runtime_error("interrupted") {}
};

/// From now on INT, TERM and HUP make the next wait throw Interrupted, so that destructors end all
/// that was started; orphans come to us, so that their PIDs stay ours until we have reaped them.
void keep_house();
/// Of wrappers that are no subreaper. Only when no Run has ended unwaited.
void reap_orphans();

struct Ended {
  int status;  // as waitpid has it
  Instant at;
};

/// One started command in a session of its own, with a small fixed environment, stdin and stderr
/// /dev/null, stdout a pipe of records. The destructor ends it and the child that it told of.
class Run {
 public:
  explicit Run(const std::vector<std::string>& words);
  Run(Run&& other) noexcept;
  Run& operator=(Run&& other) noexcept;
  ~Run();

  pid_t pid() const { return pid_; }
  pid_t child() const { return child_; }
  Instant begun() const { return begun_; }

  void send(int signal) const { ::kill(pid_, signal); }
  void send_child(int signal) const { ::kill(child_, signal); }
  std::optional<record> next(Nanos limit);
  std::optional<record> next(int what, Nanos limit);  // passes others by
  bool ready(Nanos limit) { return next(0, limit).has_value(); }
  /// No process holds the stdout that we gave: nothing that was started is left.
  bool nothing_left(Nanos limit);
  std::optional<Ended> wait(Nanos limit);

 private:
  void end();

  pid_t pid_ = -1;
  pid_t child_ = -1;
  Fd out_;
  Fd pidfd_;
  Instant begun_;
  std::optional<Ended> ended_;
};

Instant instant_of(const record& told);
/// Readable as soon as `pid` has ended.
Fd open_pidfd(pid_t pid);

}  // namespace pw::bench
