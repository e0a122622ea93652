#include "core/batch_options.hpp"

#include "core/text.hpp"

namespace pw {
namespace {

void read_line(std::string_view line, BatchOptions& options) {
  bool mode_follows = false;
  for (const std::string_view word : split(line, ' ')) {
    if (word.empty()) continue;
    if (word.front() == '#' && word != "#SBATCH") return;  // a comment behind the options
    if (mode_follows) options.append = word == "append";
    mode_follows = word == "--open-mode";
    if (word.starts_with("--open-mode=")) options.append = word == "--open-mode=append";
    if (word == "--signal" || word.starts_with("--signal=")) options.signal = true;
  }
}

}  // namespace

BatchOptions read_batch_options(std::string_view script) {
  BatchOptions options;
  for (const std::string_view line : split(script, '\n')) {
    const std::string_view text = trimmed(line);
    if (text.empty()) continue;
    if (text.front() != '#') break;
    if (line.starts_with("#SBATCH")) read_line(text, options);
  }
  return options;
}

}  // namespace pw
