#pragma once
#include <optional>
#include <string_view>
#include <vector>

#include "core/delivery.hpp"

namespace pw {

/// What became of one signal to one process.
struct Recipient {
  enum class How { sent, by_slurm, by_scancel, withheld, failed };
  int pid = 0;
  std::string_view name;  ///< valid as long as the tree
  How how = How::sent;
  int error = 0;  ///< errno of a failed one
  Signal signal = 0;
  std::string_view behind = {};           ///< the trainer's program, if it is another process
  std::optional<Delivery::Why> why = {};  ///< with --to handlers
  Nanos held{0};                          ///< how long the notice waited for this process
};
using Recipients = std::vector<Recipient>;

}  // namespace pw
