#pragma once
#include <string>

#include "core/targets.hpp"
#include "core/time.hpp"
#include "verbs/trainer_tree.hpp"

namespace pw {

/// `--target-pid-file`: the process that the trainer named in a file of its own, accepted if it is
/// of our tree. Read when a notice comes, by a process of its own, so a hung filesystem costs a
/// moment and no more.
class NamedTarget {
 public:
  NamedTarget(const TrainerTree& tree, std::string path) : tree_(tree), path_(std::move(path)) {}

  bool asked_for() const { return !path_.empty(); }

  /// Nothing: not there yet, or refused; `trouble()` says why. Looked at anew every quarter second.
  std::optional<ProcessEntry> find(Instant now);
  const std::string& trouble() const { return trouble_; }

 private:
  const TrainerTree& tree_;
  std::string path_;
  std::optional<ProcessId> found_;
  std::optional<Instant> looked_at_;
  std::string trouble_;
};

}  // namespace pw
