#include <cstdio>

#include "core/exit_status.hpp"
#include "core/option_table.hpp"
#include "verbs/run.hpp"
#include "verbs/settings.hpp"

namespace pw {
namespace {

// A double-quoted YAML scalar; a value may hold any character but NUL.
std::string quoted(std::string_view text) {
  std::string result = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') result += '\\';
    if (c == '\n') {
      result += "\\n";
    } else {
      result += c;
    }
  }
  return result + "\"";
}

std::string row(const Option& option, const Merged& merged) {
  const auto chosen = merged.chosen.find(option.name);
  if (chosen != merged.chosen.end()) {
    const std::string& text = chosen->second.text;
    return std::string(option.name) + ": " + (option.value.empty() ? "true" : quoted(text)) +
           "  # " + chosen->second.origin.place + "\n";
  }
  // What is off by default has no value that a file could give: a comment keeps the output YAML.
  const bool off = option.default_text == "off";
  return (off ? "# " : "") + std::string(option.name) + ": " +
         (off ? "off" : quoted(option.default_text)) + "  # default\n";
}

}  // namespace

int config(std::span<const std::string> words) {
  const EffectiveSettings settings = read_settings(words);
  for (const Complaint& warning : settings.merged.warnings) {
    std::fprintf(stderr, "preempt-wrap: warning: %s\n", warning.line().c_str());
  }
  if (!settings.merged.errors.empty()) {
    std::fputs(error_message(settings.merged.errors).c_str(), stderr);
    return kOwnFailure;
  }
  std::string text;
  for (const Option& option : option_table()) {
    if (option.reach != Reach::command_line) text += row(option, settings.merged);
  }
  std::fputs(text.c_str(), stdout);
  return std::fflush(stdout) == 0 ? 0 : kOwnFailure;
}

}  // namespace pw
