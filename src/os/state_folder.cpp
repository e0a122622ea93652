#include "os/state_folder.hpp"

#include <string_view>

namespace pw {
namespace {

bool absolute(std::string_view path) { return path.starts_with('/'); }

std::string without_last_slashes(std::string path) {
  while (path.size() > 1 && path.ends_with('/')) path.pop_back();
  return path;
}

}  // namespace

Result<std::string> state_folder(const StateFolderWords& words) {
  if (!words.option.empty()) return without_last_slashes(words.option);
  const std::string first = words.state_directory.substr(0, words.state_directory.find(':'));
  if (absolute(first)) return without_last_slashes(first);
  if (absolute(words.xdg_state_home)) {
    return without_last_slashes(words.xdg_state_home) + "/preempt-wrap";
  }
  // A user without a home is given "/" by some systems, and must not litter there.
  const std::string home = without_last_slashes(words.home);
  if (absolute(home) && home != "/") return home + "/.local/state/preempt-wrap";
  return Error{
      "no state folder is known: neither --state-dir, STATE_DIRECTORY, XDG_STATE_HOME nor"
      " HOME names one",
      {}};
}

}  // namespace pw
