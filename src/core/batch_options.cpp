#include "core/batch_options.hpp"

#include <optional>
#include <utility>

#include "core/text.hpp"

namespace pw {
namespace {

// The value of --signal in a line, if it has one.
std::optional<std::string_view> signal_in(std::string_view line) {
  std::optional<std::string_view> signal;
  bool next = false;
  for (const std::string_view word : split(line, ' ')) {
    const bool comment = word.starts_with('#') && word != "#SBATCH";
    if (comment) break;  // behind the options
    if (std::exchange(next, word == "--signal")) signal = word;
    if (word.starts_with("--signal=")) signal = word.substr(9);
  }
  return signal;
}

}  // namespace

std::string_view script_signal(std::string_view script) {
  std::string_view signal;
  for (const std::string_view line : split(script, '\n')) {
    const std::string_view text = trimmed(line);
    if (text.empty()) continue;
    if (text.front() != '#') break;
    if (line.starts_with("#SBATCH")) signal = signal_in(text).value_or(signal);
  }
  return signal;
}

bool tells_batch_only(std::string_view signal) {
  const std::string_view flags = signal.substr(0, signal.find(':'));
  return flags.size() < signal.size() && flags.find('B') != std::string_view::npos;
}

}  // namespace pw
