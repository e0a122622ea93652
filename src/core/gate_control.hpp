#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "core/gate_clock.hpp"

namespace pw {

/// What the people who steer a gate want: W&B's sweep verbs, for an array.
enum class GateWord { run, pause, stop, cancel };

/// The contents of a gate's `ctl`: `run`, or more than the word:
///   pause z=<ns paused before> s=<ns since 1970> g=<resets so far> : <reason>
/// Also a word written by hand counts, with or without a reason.
struct GateControl {
  GateWord word = GateWord::run;
  Nanos paused{0};                ///< in all pauses that are over
  std::optional<WallTime> since;  ///< of the word, if it was said; `run` may begin in the future
  std::uint64_t resets = 0;
  std::string reason;  ///< one line, may be empty

  friend bool operator==(const GateControl&, const GateControl&) = default;
};

/// One line without its end, of at most 300 characters.
std::string encode(const GateControl& control);

/// Nothing for a text that begins with no such word: the last known control counts then.
std::optional<GateControl> parse_gate_control(std::string_view text);

/// A pause ends this long after `run` was said, so that all who wait have read it: they start in
/// their order and with their distances, and none has to queue again.
inline constexpr Nanos kResumeAfter = Seconds(12);

/// The control that follows when `word` is said at `now`; a pause that ends is added to the rest.
GateControl steered(const GateControl& old, GateWord word, std::string reason, WallTime now);

GateTime gate_time(const GateControl& control, WallTime now);

/// How long the gate's clock will still stand; 0 also for a pause, whose end nobody knows.
Nanos stands_for(const GateControl& control, WallTime now);

const char* gate_word_text(GateWord word);

}  // namespace pw
