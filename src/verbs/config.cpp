#include <cstdio>

#include "core/exit_status.hpp"
#include "core/option_table.hpp"
#include "verbs/complain.hpp"
#include "verbs/help.hpp"
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
  const bool given = chosen != merged.chosen.end();
  std::string_view text = given ? std::string_view(chosen->second.text) : option.default_text;
  if (option.value.empty() && text.empty()) text = "true";
  return std::string(option.name) + ": " + quoted(text) + "  # " +
         (given ? chosen->second.origin.place : "default") + "\n";
}

}  // namespace

int config(std::span<const std::string> words) {
  const EffectiveSettings settings = read_settings(words);
  if (settings.line.wanted != Wanted::run) return show(settings.line.wanted);
  for (const Complaint& warning : settings.merged.warnings) {
    complain("warning: " + warning.line());
  }
  if (!settings.merged.errors.empty()) {
    complain(settings.merged.errors);
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
