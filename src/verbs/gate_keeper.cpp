#include "verbs/gate_keeper.hpp"

#include <poll.h>

#include <algorithm>

#include "os/aside.hpp"
#include "os/clock.hpp"
#include "os/ledger.hpp"
#include "os/random.hpp"
#include "verbs/gate_opening.hpp"
#include "verbs/step_news.hpp"

namespace pw {
namespace {

constexpr Nanos kLockLimit = Seconds(1);
constexpr Nanos kSpreadMost = Seconds(120);
constexpr int kSpreadRoundTrips = 8;
constexpr Nanos kSpreadTold = Seconds(1);
constexpr Nanos kControlFresh = Seconds(1);
constexpr Nanos kTryAgain = Seconds(1);
constexpr Nanos kTryAgainSlowest = Seconds(10);
constexpr Nanos kPartingLimit = Millis(200);  // the run waits for it
constexpr Nanos kPartingAlone = Seconds(10);
constexpr Nanos kEndingLimit = Seconds(2);  // all waiting runs of a stopped gate end at once

class Keeper {
 public:
  Keeper(const GateKeeping& keeping, Ledger ledger, int socket)
      : keeping_(keeping),
        ledger_(std::move(ledger)),
        socket_(socket),
        course_(keeping.limits, keeping.seed, ledger_.round_trip()) {}

  void run() {
    if (keeping_.follows) return follow();
    spread();
    while (!done_) {
      if (monotonic_now() >= control_due_) read_control();
      if (keeping_.ranks > 1) say_we_wait();
      course_.told(control_);
      const GateCourse::Step step = course_.next(now());
      const bool early = step.what == What::commit && monotonic_now() < first_try_at_;
      if (early && !leaving_) {
        hear(std::min(first_try_at_, control_due_));
      } else {
        take(step);
      }
      if (parting_is_over()) part();
    }
  }

 private:
  using What = GateCourse::Step::What;

  GateTime now() const { return gate_time(control_, ledger_.now()); }

  void take(const GateCourse::Step& step) {
    switch (step.what) {
      case What::look: return look();
      case What::commit: return transact();
      case What::sleep: return sleep(step.until);
      case What::start: return start();
      case What::stopped: return end(gate_word::kStopped);
      case What::cancelled: return end(gate_word::kCancelled);
      case What::over: break;
    }
    if (leaving_) return part();
    hear(control_due_);
  }

  bool parting_is_over() const { return parting_until_ && monotonic_now() >= *parting_until_; }

  void part() {
    say(last_word_.empty() ? gate_word::kLeft : last_word_);
    done_ = true;
  }

  // Those of one array do not all ask a server in the same moment: no lock, no state. The server
  // has time for all of them (8 round trips each), within half of the time that their starts take.
  void spread() {
    if (!ledger_.reaches_other_nodes()) return;
    Nanos most = keeping_.count * kSpreadRoundTrips * ledger_.round_trip();
    const Nanos line = keeping_.count * keeping_.limits.spacing;
    most = std::min<Nanos>(most, line > Nanos(0) ? line / 2 : Nanos(kSpreadMost));
    first_try_at_ += std::chrono::duration_cast<Nanos>(most * keeping_.place_share);
    const Nanos delay = first_try_at_ - monotonic_now();
    if (delay > kSpreadTold) say(gate_word::kSpread, std::to_string(delay.count()));
  }

  void say(const std::string& word, const std::string& rest = "") {
    spoke_at_ = monotonic_now();
    send_message(socket_, rest.empty() ? word : word + " " + rest);
  }

  // Sleeps until then, listening to the run, which hears from us meanwhile; true if it said
  // something.
  bool hear(Instant until) {
    if (parting_until_) until = std::min(until, *parting_until_);
    for (;;) {
      const bool silent = leaving_ || !course_.waiting();
      const Instant slice = silent ? until : std::min(until, spoke_at_ + kKeeperSpeaks / 2);
      pollfd polled{.fd = leaving_ ? -1 : socket_, .events = POLLIN, .revents = 0};
      const auto timeout = timeout_until(slice);
      if (ppoll(&polled, 1, &*timeout, nullptr) > 0) break;
      if (monotonic_now() >= until) return false;
      if (!silent) say(gate_word::kAlive);
    }
    const auto message = receive_message(socket_);
    if (message == gate_word::kThrough) {
      course_.through();
    } else {
      leave(message ? kPartingLimit : kPartingAlone);
    }
    return true;
  }

  // What cannot be given back within `limit` runs out by itself.
  void leave(Nanos limit) {
    leaving_ = true;
    course_.leave();
    parting_until_ = monotonic_now() + limit;
  }

  void sleep(GateTime until) {
    if (!told_wait_ && course_.waiting()) tell_wait();
    const Nanos length = std::max(until - now(), Nanos(0)) + stands_for(control_, ledger_.now());
    hear(std::min(monotonic_now() + length, control_due_));
  }

  void tell_wait() {
    const GateCourse::Outlook outlook = course_.outlook(now());
    if (outlook.position == 0) return;
    told_wait_ = true;
    const Nanos wait = outlook.wait.value_or(Nanos(0));
    say(gate_word::kWait, std::to_string(wait.count()) + " " + std::to_string(outlook.position) +
                              " " + gate_word_text(control_.word));
  }

  // What cannot be read or understood leaves the last known word in force.
  void read_control() {
    control_read_ = monotonic_now();
    control_due_ = control_read_ + (course_.waiting() ? kControlEvery : kControlWhileRunning);
    const auto text = ledger_.control();
    const auto control = text ? parse_gate_control(*text) : std::nullopt;
    if (!control) return;
    const bool same_pause = control_.word == control->word && !control->since;
    const auto since = same_pause ? control_.since : control->since;
    const bool pauses = control->word == GateWord::pause && control_.word != GateWord::pause;
    if (pauses && told_wait_ && course_.waiting()) say(gate_word::kPaused, control->reason);
    control_ = *control;
    control_.since = since;
    if (control_.word == GateWord::pause && !control_.since) control_.since = ledger_.now();
  }

  Result<GateRecord> record_in(const Ledger::Head& head) {
    GateRecord record = gate_rules::fresh(random_bits() >> 32, now());
    if (!head.text.empty()) {
      auto decoded = decode_gate_record(head.text);
      if (!decoded) return Error{"a record of another version: " + head.text.substr(0, 40), {}};
      record = std::move(*decoded);
    }
    if (head.unreadable > 0) say_once(std::to_string(head.unreadable) + " records are unreadable");
    gate_rules::bridge(record, head.unreadable, keeping_.limits, now());
    return record;
  }

  void look() {
    const auto record = newest();
    if (!record) return trouble(record.error().text());
    fine();
    course_.saw(*record, now());
  }

  Result<GateRecord> newest() {
    PW_TRY(head_, ledger_.head());
    return record_in(head_);
  }

  // On a disk of our own node the lock is cheap; elsewhere the first try does without. It is never
  // held while we sleep.
  void transact() {
    // Who has not read of a pause would let the gate's clock go on, for all.
    if (monotonic_now() - control_read_ > kControlFresh) {
      read_control();
      course_.told(control_);
      if (course_.next(now()).what != What::commit) return;
    }
    bool locked = !ledger_.reaches_other_nodes() && take_lock();
    for (;;) {
      const auto outcome = commit();
      if (locked) ledger_.lock().unlock();
      if (!outcome) return trouble(outcome.error().text());
      fine();
      if (*outcome == Ledger::Outcome::done || parting_is_over()) return;
      hear(monotonic_now() + ledger_.backoff());
      locked = take_lock();
    }
  }

  Result<Ledger::Outcome> commit() {
    PW_TRY(const auto record, newest());
    const GateTime at = now();
    const auto changed = course_.change(record, at);
    if (!changed) return Ledger::Outcome::done;
    PW_TRY(const auto outcome, ledger_.commit(head_, encode(*changed)));
    if (outcome == Ledger::Outcome::done) course_.committed(*changed, at);
    return outcome;
  }

  bool take_lock() {
    const Instant limit = monotonic_now() + kLockLimit;
    auto tried = ledger_.lock().try_lock();
    while (tried == FileLock::Try::busy && monotonic_now() < limit) {
      hear(monotonic_now() + ledger_.backoff());
      tried = ledger_.lock().try_lock();
    }
    return tried == FileLock::Try::taken;
  }

  void start() {
    read_control();
    course_.told(control_);
    if (course_.next(now()).what != What::start || stands_still()) return;
    if (keeping_.ranks > 1) announce_start();
    if (leaving_) return;
    say(gate_word::kStart);
    course_.began(now());
    control_due_ = monotonic_now() + kControlWhileRunning;
  }

  // A start that was due before the pause, but whose process slept too long, is held as well.
  bool stands_still() {
    const Nanos stands = stands_for(control_, ledger_.now());
    const bool paused = control_.word == GateWord::pause;
    if (!paused && stands == Nanos(0)) return false;
    hear(paused ? control_due_ : std::min(control_due_, monotonic_now() + stands));
    return true;
  }

  // The other ranks need a moment to find it, and start in the same instant.
  void announce_start() {
    const Nanos lead = followers_lead(keeping_, ledger_);
    const WallTime at = ledger_.now() + lead;
    if (const auto said = announce(ledger_, keeping_, {StepNews::What::start, at}); !said) {
      trouble(said.error().text());
    }
    hear(monotonic_now() + lead);
  }

  // A waiting run hears of it when its place is given back, one that has started at once.
  void end(const std::string& word) {
    const std::string words = control_.reason.empty() ? word : word + " " + control_.reason;
    if (!course_.waiting()) {
      say(words);
    } else {
      last_word_ = words;
      const bool stopped = word == gate_word::kStopped;
      const StepNews news{stopped ? StepNews::What::stopped : StepNews::What::cancelled,
                          ledger_.now()};
      if (keeping_.ranks > 1) announce(ledger_, keeping_, news);
    }
    leave(kEndingLimit);
  }

  void say_we_wait() {
    if (!course_.waiting() || leaving_ || monotonic_now() < waiting_due_) return;
    waiting_due_ = monotonic_now() + kLeaderSpeaks;
    announce(ledger_, keeping_, {StepNews::What::waiting, ledger_.now()});
  }

  void follow() {
    const Nanos poll = followers_poll(keeping_);
    std::optional<StepNews> last;
    Instant heard_at = monotonic_now();
    while (!done_ && !leaving_) {
      const auto news = heard_of(ledger_, keeping_);
      if (!news) trouble(news.error().text());
      if (!news) continue;
      fine();
      if (*news && (*news)->what != StepNews::What::waiting) return act_on(**news);
      if (*news && *news != last) heard_at = monotonic_now();
      last = *news;
      if (monotonic_now() - heard_at >= kLeaderSilent) return go_alone();
      hear(monotonic_now() + poll);
    }
    if (leaving_) part();
  }

  // Rank 0 has died, or does not reach the gate; a step of which one rank waits for ever is worse
  // than one that starts early.
  void go_alone() {
    read_control();
    if (control_.word == GateWord::stop) return act_on({StepNews::What::stopped});
    if (control_.word == GateWord::cancel) return act_on({StepNews::What::cancelled});
    say(gate_word::kGiveUp, "rank 0 of the step has said nothing in the gate for a while");
  }

  void act_on(const StepNews& news) {
    read_control();
    if (news.what != StepNews::What::start) {
      const bool stopped = news.what == StepNews::What::stopped;
      last_word_ = stopped ? gate_word::kStopped : gate_word::kCancelled;
      return part();
    }
    // No later than it was meant, whatever rank 0's clock says.
    const Nanos left = std::min<Nanos>(news.at - ledger_.now(), followers_lead(keeping_, ledger_));
    hear(monotonic_now() + left);
    if (leaving_) return part();
    say(gate_word::kStart);
    course_.began(now());
    while (!leaving_ && control_.word != GateWord::cancel) {
      read_control();
      if (control_.word != GateWord::cancel) hear(control_due_);
    }
    if (!leaving_) say(gate_word::kCancelled);
  }

  void fine() {
    if (trouble_since_) troubled_ += monotonic_now() - *trouble_since_;
    trouble_since_.reset();
    try_again_ = kTryAgain;
  }

  void say_once(const std::string& text) {
    if (std::find(told_.begin(), told_.end(), text) != told_.end()) return;
    told_.push_back(text);
    say(gate_word::kTrouble, text);
  }

  // Told once and tried again, until there was so much of it that the gate is given up.
  void trouble(const std::string& text) {
    const Instant at = monotonic_now();
    if (!trouble_since_) trouble_since_ = at;
    if (told_.empty()) say_once(text + (course_.waiting() ? "; tried again" : ""));
    if (course_.waiting() && troubled_ + (at - *trouble_since_) >= keeping_.max_delay) {
      say(gate_word::kGiveUp, text);
      done_ = true;
      return;
    }
    const Nanos left = keeping_.max_delay - troubled_ - (at - *trouble_since_);
    hear(at + (course_.waiting() ? std::clamp(left, Nanos(0), try_again_) : try_again_));
    try_again_ = std::min(2 * try_again_, kTryAgainSlowest);
  }

  const GateKeeping& keeping_;
  Ledger ledger_;
  int socket_;
  GateCourse course_;
  Ledger::Head head_;
  GateControl control_;
  Instant control_due_{};
  Instant control_read_{};
  Instant waiting_due_{};
  Instant spoke_at_ = monotonic_now();
  Instant first_try_at_ = spoke_at_;
  bool told_wait_ = false;
  bool leaving_ = false;
  bool done_ = false;
  std::optional<Instant> parting_until_;
  std::string last_word_;
  std::vector<std::string> told_;
  std::optional<Instant> trouble_since_;
  Nanos troubled_{0};
  Nanos try_again_ = kTryAgain;
};

}  // namespace

void keep_gate(const GateKeeping& keeping, int socket) {
  auto ledger = open_patiently(keeping, socket);
  if (ledger) Keeper(keeping, std::move(*ledger), socket).run();
}

void tell_followers(const GateKeeping& keeping, Nanos delay, int socket) {
  pollfd polled{.fd = socket, .events = POLLIN, .revents = 0};
  const auto timeout = timeout_until(monotonic_now() + delay);
  if (ppoll(&polled, 1, &*timeout, nullptr) > 0) return;
  auto ledger = Ledger::open(keeping.folder);
  // Where it cannot be opened the others have found that out themselves.
  if (ledger) announce(*ledger, keeping, {StepNews::What::start, ledger->now()});
}

}  // namespace pw
