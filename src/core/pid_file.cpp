#include "core/pid_file.hpp"

#include <algorithm>

#include "core/number.hpp"
#include "core/text.hpp"

namespace pw {
namespace {

// The kernel's PID_MAX_LIMIT on 64 bits: a larger number cannot be "gone already".
constexpr std::int64_t kPidMax = 4'194'304;

// mtime has the grain of a tick and more; the clocks of a file server and a node differ.
Nanos tolerance(Storage storage) {
  return storage == Storage::network ? Nanos(Seconds(300)) : Nanos(Seconds(2));
}

bool part_of_word(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

bool has_word(std::string_view text, std::string_view word) {
  for (auto at = text.find(word); at != std::string_view::npos; at = text.find(word, at + 1)) {
    const auto end = at + word.size();
    const bool begins = at == 0 || !part_of_word(text[at - 1]);
    if (begins && (end == text.size() || !part_of_word(text[end]))) return true;
  }
  return false;
}

Error no_pid(const std::string& what) { return {what, {}}; }

}  // namespace

Result<int> parse_pid(std::string_view text) {
  if (text.empty()) return no_pid("is empty");
  if (text.size() > kPidFileMax) return no_pid("is too long for a PID file");
  if (text.find('\0') != std::string_view::npos) return no_pid("holds NUL bytes");
  const std::string_view word = trimmed(text);
  if (word.empty()) return no_pid("holds blanks only");
  if (word.find_first_of(" \t\r\n") != std::string_view::npos) {
    return no_pid("holds more than one word");
  }
  const bool digits = word.find_first_not_of("0123456789") == std::string_view::npos;
  if (!digits) return no_pid("holds no decimal number");
  const auto number = parse_number(word);
  if (!number || *number > kPidMax) return no_pid("holds a number that no process can have");
  if (*number < 2) return no_pid("holds " + std::to_string(*number) + ", which is nobody's to end");
  return static_cast<int>(*number);
}

bool holds_words(std::string_view text) {
  constexpr std::string_view kOfNumbers{"0123456789+- \t\r\n\0", 18};
  return text.find_first_not_of(kOfNumbers) != std::string_view::npos;
}

bool carries_host(std::string_view path, std::string_view host) {
  const std::string_view first = host.substr(0, host.find('.'));
  return !first.empty() && (has_word(path, first) || has_word(path, host));
}

std::optional<std::string> why_file_refused(const PidFileFacts& file, const Asker& asker) {
  if (file.pid == asker.pid) return "names the process that reads it";
  const bool elsewhere = file.storage == Storage::network &&
                         asker.host_rule == HostRule::this_host &&
                         !carries_host(file.path, asker.host);
  if (elsewhere) {
    return "lies on a network filesystem and may be another host's: its path does not carry the "
           "name " +
           asker.host;
  }
  if (file.written > asker.now + tolerance(file.storage)) {
    return "was written in the future, so its age proves nothing";
  }
  return {};
}

std::optional<std::string> why_process_refused(const PidFileFacts& file,
                                               const ProcessFacts& process) {
  const std::string pid = std::to_string(file.pid);
  if (process.leader != file.pid) {
    return "names a thread (" + pid + ") of process " + std::to_string(process.leader);
  }
  const auto& users = process.users;
  if (file.owner != 0 && std::find(users.begin(), users.end(), file.owner) == users.end()) {
    return "belongs to uid " + std::to_string(file.owner) + ", but process " + pid + " to uid " +
           std::to_string(users[0]);
  }
  if (process.started > file.written + tolerance(file.storage)) {
    return "is older than process " + pid + ", which got that number later";
  }
  return {};
}

}  // namespace pw
