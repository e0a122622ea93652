#pragma once
#include <span>
#include <string>
#include <vector>

#include "config/command_line.hpp"
#include "core/settings.hpp"

namespace pw {

/// The command line and all layers below it, read and merged.
struct EffectiveSettings {
  CommandLine line;
  Merged merged;
  std::string profile;         ///< the one that applies; empty: none
  std::string profile_remark;  ///< for the start line: "profile torchrun: exit-preempted 85"
};

/// Reads the layers that the README lists. Only files that can be read count; a --config file that
/// cannot is an error, a site or user file a warning, one that is not there nothing.
EffectiveSettings read_settings(std::span<const std::string> words);

}  // namespace pw
