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
/// trainer's tree, deaf to the job's signals, ended by SIGKILL when its time is over or we die.
class Helper {
 public:
  enum class Output { to_stderr, captured };  ///< stdout is the trainer's

  /// `limit` is the instant at which it will be killed.
  static Result<Helper> start(std::vector<std::string> command,
                              std::vector<std::string> environment, Output output, Instant limit);

  ProcessId id() const { return id_; }
  Instant limit() const { return limit_; }
  int output_fd() const { return output_.get(); }

  void read_output();  ///< takes what is there; at most 1 MiB is kept
  const std::string& output() const { return text_; }
  std::optional<Ending> reap();
  void kill();  ///< with its whole process group: a hook's shell has children

 private:
  Helper(Child child, ProcessId id, Fd output, Instant limit)
      : child_(std::move(child)), id_(id), output_(std::move(output)), limit_(limit) {}

  Child child_;
  ProcessId id_;
  Fd output_;
  std::string text_;
  Instant limit_;
};

}  // namespace pw
