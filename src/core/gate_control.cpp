#include "core/gate_control.hpp"

#include <algorithm>
#include <array>

#include "core/number.hpp"
#include "core/text.hpp"

namespace pw {
namespace {

constexpr std::size_t kReasonMax = 200;
constexpr Nanos kLongestPause = std::chrono::hours(24 * 3650);
constexpr Nanos kLatestWord = std::chrono::hours(24 * 365 * 120);  // in 2089: a record can hold it

constexpr std::array kWords =
    std::to_array<std::pair<std::string_view, GateWord>>({{"run", GateWord::run},
                                                          {"pause", GateWord::pause},
                                                          {"stop", GateWord::stop},
                                                          {"cancel", GateWord::cancel}});

std::string one_line(std::string_view text) {
  std::string line(text.substr(0, kReasonMax));
  for (char& c : line) {
    if (static_cast<unsigned char>(c) < ' ' || c == '\x7f') c = ' ';
  }
  return std::string(trimmed(line));
}

std::optional<std::int64_t> amount(std::string_view word, std::string_view key) {
  return word.starts_with(key) ? parse_number(word.substr(key.size())) : std::nullopt;
}

// Takes one word of the line; false for the first word of the reason.
bool take_field(std::string_view word, GateControl& control) {
  if (const auto paused = amount(word, "z=")) {
    control.paused = std::min(Nanos(*paused), kLongestPause);
  } else if (const auto since = amount(word, "s=")) {
    control.since = WallTime(std::min(Nanos(*since), kLatestWord));
  } else if (const auto resets = amount(word, "g=")) {
    control.resets = static_cast<std::uint64_t>(*resets);
  } else {
    return false;
  }
  return true;
}

}  // namespace

const char* gate_word_text(GateWord word) {
  for (const auto& [text, value] : kWords) {
    if (value == word) return text.data();
  }
  return "run";
}

std::string encode(const GateControl& control) {
  std::string text = gate_word_text(control.word);
  text += " z=" + std::to_string(control.paused.count());
  if (control.since) text += " s=" + std::to_string(control.since->time_since_epoch().count());
  text += " g=" + std::to_string(control.resets);
  if (!control.reason.empty()) text += " : " + one_line(control.reason);
  return text;
}

std::optional<GateControl> parse_gate_control(std::string_view text) {
  text = trimmed(text.substr(0, text.find('\n')));
  const std::string_view first = text.substr(0, text.find(' '));
  const auto word = std::find_if(kWords.begin(), kWords.end(),
                                 [&](const auto& known) { return known.first == first; });
  if (word == kWords.end()) return {};
  GateControl control{.word = word->second};
  text = trimmed(text.substr(first.size()));
  while (!text.empty()) {
    const std::string_view field = text.substr(0, text.find(' '));
    const bool mark = field == ":";
    if (!mark && !take_field(field, control)) break;
    text = trimmed(text.substr(field.size()));
    if (mark) break;
  }
  control.reason = one_line(text);
  return control;
}

GateControl steered(const GateControl& old, GateWord word, std::string reason, WallTime now) {
  GateControl next = old;
  const bool was_paused = old.word == GateWord::pause && old.since;
  const bool resumes = was_paused && word == GateWord::run;
  if (!was_paused || word != GateWord::pause) next.since = resumes ? now + kResumeAfter : now;
  if (was_paused) next.paused += std::max(*next.since - *old.since, Nanos(0));
  next.word = word;
  next.reason = one_line(reason);
  return next;
}

GateTime gate_time(const GateControl& control, WallTime now) {
  const bool paused = control.word == GateWord::pause && control.since;
  const WallTime at = paused ? *control.since : now + stands_for(control, now);
  return GateTime(std::max(at.time_since_epoch() - control.paused, Nanos(0)));
}

Nanos stands_for(const GateControl& control, WallTime now) {
  if (control.word != GateWord::run || !control.since) return Nanos(0);
  // Not for long: who wrote it may have had a wrong clock.
  return std::clamp(*control.since - now, Nanos(0), kResumeAfter);
}

}  // namespace pw
