#include "verbs/launch_failure.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <span>
#include <string_view>

#include "core/command_text.hpp"

namespace pw {
namespace {

constexpr auto kVerbs =
    std::to_array<std::string_view>({"config", "relay", "gate", "watch", "help", "version"});

bool is_file(const std::string& path) {
  struct stat found {};
  return stat(path.c_str(), &found) == 0 && S_ISREG(found.st_mode);
}

std::string remark(int error, const std::string& command) {
  const bool path = command.find('/') != std::string::npos;
  if (error == EACCES && path && is_file(command)) {
    return " (is it executable? chmod +x, or python " + command + ")";
  }
  if (error != ENOENT) return "";
  if (path && access(command.c_str(), F_OK) == 0) {
    return " (the file is there; what its first line, #!, names is not)";
  }
  if (!path && is_file("./" + command)) return " in PATH (./" + command + " is there)";
  if (command.find(' ') != std::string::npos) {
    return " (it is one word with a blank; without the quotes it is a command and its arguments)";
  }
  if (std::find(kVerbs.begin(), kVerbs.end(), command) != kVerbs.end()) {
    return "; a verb is one only as the first word: preempt-wrap " + command + " ...";
  }
  return "";
}

}  // namespace

std::string launch_failure_text(int error, const std::string& command) {
  return command_text(std::span(&command, 1)) + ": " + std::strerror(error) +
         remark(error, command);
}

}  // namespace pw
