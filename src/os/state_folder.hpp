#pragma once
#include <string>

#include "core/result.hpp"

namespace pw {

/// What may say where the state folder is; empty: it says nothing. The environment's values are
/// told by the caller.
struct StateFolderWords {
  std::string option;           ///< --state-dir
  std::string state_directory;  ///< STATE_DIRECTORY, from systemd: the first of "a:b"
  std::string xdg_state_home;   ///< XDG_STATE_HOME
  std::string home;             ///< HOME
};

/// Where what outlives a run is kept: --state-dir, else $STATE_DIRECTORY, else
/// $XDG_STATE_HOME/preempt-wrap, else ~/.local/state/preempt-wrap; never /tmp by itself, since the
/// nodes of a job share it, and never by NSS. Variables that hold no absolute path count as unset
/// (XDG base directory specification). Only says where: os/note_folder makes it.
Result<std::string> state_folder(const StateFolderWords& words);

}  // namespace pw
