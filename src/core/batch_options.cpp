#include "core/batch_options.hpp"

#include "core/text.hpp"

namespace pw {
namespace {

bool line_asks(std::string_view line) {
  for (const std::string_view word : split(line, ' ')) {
    const bool comment = word.starts_with('#') && word != "#SBATCH";
    if (comment) return false;  // behind the options
    if (word == "--signal" || word.starts_with("--signal=")) return true;
  }
  return false;
}

}  // namespace

bool script_asks_for_signal(std::string_view script) {
  for (const std::string_view line : split(script, '\n')) {
    const std::string_view text = trimmed(line);
    if (text.empty()) continue;
    if (text.front() != '#') return false;
    if (line.starts_with("#SBATCH") && line_asks(text)) return true;
  }
  return false;
}

}  // namespace pw
