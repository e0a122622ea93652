#include "verbs/start_gate.hpp"

#include <algorithm>

#include "core/duration.hpp"
#include "core/number.hpp"
#include "core/text.hpp"
#include "os/clock.hpp"

namespace pw {
namespace {

constexpr Nanos kParting = Millis(200);  // of the time that a notice leaves
constexpr Nanos kClosing = Seconds(2);   // the trainer is gone; a lease lasts longer
constexpr Nanos kSilence = kKeeperSpeaks + Seconds(5);
constexpr Nanos kWokenLate = Seconds(1);

// 1st, 2nd, 3rd, 4th, ..., 11th, 12th, 13th.
std::string ordinal(std::int64_t number) {
  const bool teens = number % 100 / 10 == 1;
  const char* ending = teens || number % 10 > 3 ? "th" : nullptr;
  constexpr const char* kEndings[] = {"th", "st", "nd", "rd"};
  return std::to_string(number) + (ending != nullptr ? ending : kEndings[number % 10]);
}

}  // namespace

void StartGate::open() {
  began_ = heard_ = monotonic_now();
  auto keeper = Aside::start([this](int socket) { keep_gate(plan_.keeping, socket); },
                             "fork the gate's keeper");
  if (!keeper) return fall_back(keeper.error().text());
  keeper_.emplace(std::move(*keeper));
}

std::optional<ProcessId> StartGate::helper() const {
  return keeper_ ? std::optional(keeper_->id()) : std::nullopt;
}

std::optional<Instant> StartGate::wake() const {
  if (started_ || verdict_ != Verdict::wait) return {};
  if (start_at_) return start_at_;
  return silence_told_ ? heard_ + std::max(plan_.keeping.max_delay, kSilence) : heard_ + kSilence;
}

StartGate::Verdict StartGate::advance() {
  while (keeper_) {
    const auto message = keeper_->receive(monotonic_now());
    if (!message) break;
    hear(*message);
  }
  if (started_) return Verdict::start;
  const Instant now = monotonic_now();
  if (keeper_ && keeper_->over() && verdict_ == Verdict::wait && !start_at_) {
    fall_back("its keeper has ended");
  }
  if (verdict_ != Verdict::wait) return verdict_;
  if (start_at_) {
    if (now >= *start_at_) end_wait(Verdict::start, "without-gate");
    return verdict_;
  }
  // Suspended or stopped we heard nothing, and the keeper with us had no chance to speak.
  if (now - *wake() > kWokenLate) heard_ = now;
  if (now - heard_ < kSilence) return verdict_;
  if (now - heard_ >= plan_.keeping.max_delay) {
    fall_back("it has not answered for " + spoken(now - heard_));
  } else if (!std::exchange(silence_told_, true)) {
    say(LogLevel::warning,
        "it does not answer; waited for, at most " + spoken(plan_.keeping.max_delay) + plan_.costs);
  }
  return verdict_;
}

void StartGate::hear(const std::string& message) {
  heard_ = monotonic_now();
  silence_told_ = false;
  const std::string word = message.substr(0, message.find(' '));
  const std::string rest = message.size() > word.size() ? message.substr(word.size() + 1) : "";
  if (word == gate_word::kWait) tell_wait(rest);
  if (word == gate_word::kSpread) {
    const Nanos delay(parse_number(rest).value_or(0));
    say(LogLevel::info,
        "asks for a place in " + spoken(delay) + ", in turn with its array" + plan_.costs);
  }
  if (word == gate_word::kPaused) {
    say(LogLevel::info, "paused" + (rest.empty() ? "" : ": " + rest) + "; the place is kept");
  }
  if (word == gate_word::kTrouble) say(LogLevel::warning, rest);
  if (word == gate_word::kUnusable) fall_back(rest);
  if (word == gate_word::kGiveUp) fall_back(rest);
  if (word == gate_word::kStart) end_wait(Verdict::start, "passed");
  if (word == gate_word::kStopped) end_wait(Verdict::stopped, "stopped", rest);
  if (word == gate_word::kCancelled && started_) cancelled_ = rest;
  if (word == gate_word::kCancelled && !started_) end_wait(Verdict::cancelled, "cancelled", rest);
}

void StartGate::tell_wait(const std::string& words) {
  const auto parts = split(words, ' ');
  if (parts.size() != 3) return;
  const Nanos wait(parse_number(parts[0]).value_or(0));
  const std::int64_t position = parse_number(parts[1]).value_or(1);
  const bool paused = parts[2] == "pause";
  std::string sentence = paused ? "paused; then start in " : "start in ";
  sentence +=
      (plan_.keeping.limits.ticketed() ? "about " : "") + spoken(wait) + ", " + ordinal(position);
  const bool of_array = plan_.keeping.count >= position && plan_.keeping.count > 1;
  sentence += of_array ? " of " + std::to_string(plan_.keeping.count) : " in line";
  say(LogLevel::info, sentence + plan_.costs);
  chronicle_.journal("gate-wait", JournalRecord()
                                      .add("gate", plan_.keeping.folder)
                                      .add("wait_ms", wait.count() / 1'000'000)
                                      .add("position", position)
                                      .add("paused", paused));
  chronicle_.flush();
}

// Spread by the array alone: the mean rate is held, a maximum is not.
void StartGate::fall_back(const std::string& why) {
  keeper_.reset();
  if (plan_.required) {
    say(LogLevel::error, why + "; --require-gate: nothing was started");
    return end_wait(Verdict::refused, "refused", why);
  }
  const Nanos delay = plan_.fallback.value_or(Nanos(0));
  say(LogLevel::warning, why + "; no maximum rate: start in " + spoken(delay) +
                             (plan_.fallback ? ", by the place in the array" : ""));
  start_at_ = monotonic_now() + delay;
  if (plan_.keeping.ranks > 1 && !plan_.keeping.follows) tell_followers_in(delay);
}

// Else they would wait for our word for ever.
void StartGate::tell_followers_in(Nanos delay) {
  auto teller =
      Aside::start([this, delay](int socket) { tell_followers(plan_.keeping, delay, socket); },
                   "fork the teller of the other ranks");
  if (!teller) return say(LogLevel::warning, teller.error().text());
  keeper_.emplace(std::move(*teller));
}

void StartGate::say(LogLevel level, const std::string& sentence) {
  const std::string line = "gate " + plan_.keeping.folder + ": " + sentence;
  if (level == LogLevel::warning) {
    chronicle_.warn(line);
  } else {
    chronicle_.log(level, line);
  }
  chronicle_.flush();
}

void StartGate::end_wait(Verdict verdict, const char* how, const std::string& words) {
  verdict_ = verdict;
  started_ = verdict == Verdict::start;
  const std::string reason = words.empty() ? "" : ": " + words;
  if (verdict == Verdict::stopped) say(LogLevel::info, "stopped" + reason + "; not started");
  if (verdict == Verdict::cancelled) say(LogLevel::info, "cancelled" + reason);
  const Nanos waited = monotonic_now() - began_;
  chronicle_.journal(started_ ? "gate-pass" : "gate-end",
                     JournalRecord()
                         .add("gate", plan_.keeping.folder)
                         .add("how", how)
                         .add("waited_ms", waited.count() / 1'000'000));
}

void StartGate::leave() {
  if (!keeper_ || started_) return;
  end_wait(Verdict::wait, part(kParting) ? "left" : "left-behind");
}

void StartGate::close() {
  through();
  part(kClosing);
}

bool StartGate::part(Nanos limit) {
  if (!keeper_) return true;
  keeper_->send(gate_word::kLeave);
  const Instant until = monotonic_now() + limit;
  bool left = false;
  while (!keeper_->over() && monotonic_now() < until) {
    left = keeper_->receive(until) == gate_word::kLeft || left;
  }
  // Without a child of ours the end of the trainer is the end of the tree: nobody looks for more.
  if (keeper_->over()) keeper_->reap();
  keeper_.reset();
  return left;
}

void StartGate::through() {
  if (keeper_) keeper_->send(gate_word::kThrough);
}

std::optional<std::string> StartGate::take_cancelled() { return std::exchange(cancelled_, {}); }

}  // namespace pw
