#include "core/settings.hpp"

#include <algorithm>

#include "core/option_table.hpp"
#include "core/option_values.hpp"

namespace pw {
namespace {

// The environment is stronger than a file that the command line names, so the layers' order of
// strength is not their order of strictness.
int strength(Layer layer) {
  switch (layer) {
    case Layer::command_line: return 0;
    case Layer::environment: return 1;
    case Layer::config_file: return 2;
    case Layer::user_file: return 3;
    case Layer::site_file: return 4;
    case Layer::config_profile: return 5;
    case Layer::profile: return 6;
  }
  return 7;
}

void complain(Merged& merged, const Given& given, const std::string& what) {
  auto& list = given.origin.strict() ? merged.errors : merged.warnings;
  list.push_back({given.origin, given.name + ": " + what});
}

const OptionValue* taken_by(std::string_view name) {
  const auto found = std::find_if(option_values().begin(), option_values().end(),
                                  [&](const OptionValue& taken) { return taken.name == name; });
  return found == option_values().end() ? nullptr : &*found;
}

// "off" takes back what a weaker layer says of an option that is off by default.
bool switches_off(const Given& given) {
  const Option* option = find_option(given.name);
  return given.text == "off" && option != nullptr && option->default_text == "off" &&
         !option->value.empty();
}

// What cannot be understood is told and left out, so that the next layer's counts.
std::vector<Given> understood(std::vector<Given> ordered, Merged& merged) {
  std::erase_if(ordered, [&](const Given& given) {
    if (taken_by(given.name) == nullptr) return true;
    const std::string what = fault_of(given);
    if (!what.empty()) complain(merged, given, what);
    return !what.empty();
  });
  return ordered;
}

const Given* strongest(const std::vector<Given>& ordered, std::string_view name) {
  const auto found = std::find_if(ordered.begin(), ordered.end(),
                                  [&](const Given& given) { return given.name == name; });
  return found == ordered.end() ? nullptr : &*found;
}

bool stronger(const Given* a, const Given* b) {
  return a != nullptr && b != nullptr && strength(a->origin.layer) < strength(b->origin.layer);
}

// Options that speak of the same thing: a weaker layer's word yields to a stronger layer's.
void drop_yielding(std::vector<Given>& ordered, std::string_view strong, std::string_view weak) {
  const Given* first = strongest(ordered, strong);
  const Given* second = strongest(ordered, weak);
  if (!stronger(first, second) || switches_off(*first)) return;
  std::erase_if(ordered, [&](const Given& given) { return given.name == weak; });
}

std::vector<Given> without_rivals(std::vector<Given> ordered, Merged& merged) {
  drop_yielding(ordered, "grace", "ladder");
  drop_yielding(ordered, "ladder", "grace");
  drop_yielding(ordered, "quiet", "log-level");
  drop_yielding(ordered, "log-level", "quiet");
  drop_yielding(ordered, "exit-preempted", "exit-zero");
  const Given* grace = strongest(ordered, "grace");
  const Given* ladder = strongest(ordered, "ladder");
  const bool graced = grace != nullptr && grace->text != "auto";
  if (graced && ladder != nullptr && !switches_off(*ladder)) {
    complain(merged, *ladder, "cannot be given together with grace");
    std::erase_if(ordered, [](const Given& given) { return given.name == "ladder"; });
  }
  return ordered;
}

void take_strongest(Merged& merged, const std::vector<Given>& ordered) {
  for (const OptionValue& taken : option_values()) {
    const Given* given = strongest(ordered, taken.name);
    if (given == nullptr) continue;
    if (!switches_off(*given)) taken.take(given->text, merged.settings);
    merged.chosen.emplace(taken.name, *given);
  }
}

// An option that means nothing without another one. Said where the user sees it; a site's file may
// well give a rate to those who name a gate.
void need(Merged& merged, std::string_view name, bool met, const char* other) {
  const auto chosen = merged.chosen.find(name);
  if (chosen == merged.chosen.end() || switches_off(chosen->second) || met) return;
  const Given& given = chosen->second;
  if (given.origin.strict()) complain(merged, given, std::string("needs ") + other);
}

// Who names it wants to be told. Its default may well be repeated in a file.
void check_run_dir(Merged& merged) {
  const auto chosen = merged.chosen.find("run-dir");
  if (chosen == merged.chosen.end()) return;
  const bool here = chosen->second.origin.layer == Layer::command_line;
  if (here) need(merged, "run-dir", merged.settings.registers, "--register");
}

void check_start_control(Merged& merged) {
  Settings& settings = merged.settings;
  const bool gate = !settings.gate.empty();
  const bool starting = settings.max_starting > 0;
  const bool ready = settings.ready != ReadyWhen::not_asked;
  const auto is_wrong = [&merged](std::string_view name) {
    const std::string begin = std::string(name) + ": ";
    return std::any_of(merged.errors.begin(), merged.errors.end(),
                       [&](const Complaint& error) { return error.text.starts_with(begin); });
  };
  const bool limited =
      settings.start_spacing || starting || is_wrong("start-rate") || is_wrong("max-starting");
  need(merged, "start-rate", gate, "--gate DIR");
  need(merged, "max-starting", gate, "--gate DIR");
  need(merged, "require-gate", gate || !settings.require_gate, "--gate DIR");
  need(merged, "max-starting", ready, "--ready notify or --ready D: when is a start over?");
  need(merged, "gate", limited, "--start-rate or --max-starting");
  need(merged, "index", settings.count.has_value(), "--count");
  need(merged, "count", settings.index.has_value(), "--index");
  if (settings.index && settings.count && *settings.index >= *settings.count) {
    complain(merged, merged.chosen.at("index"),
             "is not below --count " + std::to_string(*settings.count) + "; it counts from 0");
    settings.index.reset();
  }
  if (!settings.index || !settings.count) {
    settings.index.reset();
    settings.count.reset();
  }
  if (!ready) settings.max_starting = 0;
  if (!settings.start_spacing && settings.max_starting == 0) settings.gate.clear();
}

}  // namespace

std::string fault_of(const Given& given) {
  const OptionValue* taken = taken_by(given.name);
  if (taken == nullptr || switches_off(given)) return "";
  Settings scratch;
  return taken->take(given.text, scratch);
}

const Given* strongest_given(std::span<const Given> given, std::string_view name) {
  const Given* found = nullptr;
  for (const Given& candidate : given) {
    if (candidate.name == name && (found == nullptr || stronger(&candidate, found))) {
      found = &candidate;
    }
  }
  return found;
}

Merged merge_settings(std::span<const Given> given) {
  Merged merged;
  std::vector<Given> ordered(given.begin(), given.end());
  std::stable_sort(ordered.begin(), ordered.end(), [](const Given& a, const Given& b) {
    return strength(a.origin.layer) < strength(b.origin.layer);
  });
  ordered = without_rivals(understood(std::move(ordered), merged), merged);
  take_strongest(merged, ordered);
  check_start_control(merged);
  check_run_dir(merged);
  return merged;
}

}  // namespace pw
