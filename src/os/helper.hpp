#pragma once
#include <optional>
#include <string>

#include "core/process_tree.hpp"
#include "core/time.hpp"
#include "os/child.hpp"
#include "os/fd.hpp"
#include "os/launch.hpp"

namespace pw {

/// A short-lived process of our own beside the trainer: a hook, scontrol, scancel. Not of the
/// trainer's tree, deaf to the job's signals, ended by SIGKILL when its time is over or we die. One
/// that even SIGKILL does not end (a hung disk keeps it) is given up 2 s later.
class Helper {
 public:
  enum class Output { to_stderr, captured };  ///< stdout is the trainer's

  /// `limit` is the instant at which enforce_limit() kills it.
  static Result<Helper> start(std::vector<std::string> command,
                              std::vector<std::string> environment, Output output, Instant limit);

  ProcessId id() const { return id_; }
  int output_fd() const { return output_.get(); }

  void read_output();  ///< takes what is there; at most 1 MiB is kept
  const std::string& output() const { return text_; }
  std::optional<Ending> reap();

  /// To be called when wake() has come; true if it has been killed now.
  bool enforce_limit();
  bool killed() const { return killed_at_.has_value(); }  ///< by enforce_limit()
  bool given_up() const;
  /// When to look at it again, if nothing is heard of it before; nothing: it is given up.
  std::optional<Instant> wake() const;

 private:
  void kill();  // with its whole process group: a hook's shell has children
  Helper(Child child, ProcessId id, Fd output, Instant limit)
      : child_(std::move(child)), id_(id), output_(std::move(output)), limit_(limit) {}

  Child child_;
  ProcessId id_;
  Fd output_;
  std::string text_;
  Instant limit_;
  std::optional<Instant> killed_at_;
};

}  // namespace pw
