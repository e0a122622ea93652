#pragma once
#include <set>
#include <string>
#include <string_view>

namespace pw {

/// Programs that stand between us and those who can act on a notice, by the kernel's name of a
/// process (comm, 15 characters). What a program does with a signal for itself (a shell's trap)
/// counts only when nobody below it can act.
class Transparent {
 public:
  Transparent() = default;
  /// `more`: names that --transparent and a launcher's profile add.
  explicit Transparent(std::set<std::string, std::less<>> more) : more_(std::move(more)) {}

  bool contains(std::string_view name) const;

 private:
  std::set<std::string, std::less<>> more_;
};

/// Programs that hold or forward a notice by themselves (a nested preempt-wrap, srun): they get it
/// whatever /proc says of their handlers, and nobody below them does.
bool takes_for_those_below(std::string_view name);

/// What only helps a trainer and may get nothing during the grace: wandb-core dies at once of a
/// TERM or INT, and with it what the trainer has still to upload (wandb#9963).
bool is_bystander(std::string_view name);

}  // namespace pw
