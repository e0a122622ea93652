#include "core/gate_course.hpp"

#include <algorithm>
#include <utility>

#include "core/chance.hpp"

namespace pw {
namespace {

constexpr Nanos kRenewAfter = kGateLease * 2 / 3;
constexpr Nanos kLateLeast = Seconds(2);
constexpr Nanos kFastestPoll = Millis(20);
constexpr Nanos kPollOfTheNext = Millis(250);
constexpr int kPatience = 3;  // looks after which somebody further back lets the next ones in
constexpr int kRoundTrips = 8;
constexpr std::uint64_t kClosest = 2;

}  // namespace

void GateCourse::told(const GateControl& control) {
  // A reset makes all places void, also a start that was reserved.
  const bool reset = control.resets != resets_seen_ && stage_ < Stage::starting;
  if (reset && stage_ != Stage::outside) stage_ = Stage::outside;
  resets_seen_ = control.resets;
  control_ = control;
}

GateCourse::Step GateCourse::want(Intent intent) {
  intent_ = intent;
  return {.what = Step::What::commit};
}

GateCourse::Step GateCourse::sleep_until(GateTime now, GateTime until) const {
  const Nanos most = stage_ == Stage::through ? kControlWhileRunning : kControlEvery;
  return {.what = Step::What::sleep, .until = std::min(until, now + most)};
}

GateCourse::Step GateCourse::next(GateTime now) {
  if (leaving_) return holds_place() ? want(Intent::leave) : Step{.what = Step::What::over};
  if (control_.word == GateWord::cancel) return {.what = Step::What::cancelled};
  if (control_.word == GateWord::stop && waiting()) return {.what = Step::What::stopped};
  // The gate's clock stands: nothing is to be seen or done before `ctl` says something else.
  const bool paused = control_.word == GateWord::pause && stage_ != Stage::outside && waiting();
  if (paused) return sleep_until(now, now + kControlEvery);
  switch (stage_) {
    case Stage::outside: return want(limits_.ticketed() ? Intent::join : Intent::reserve);
    case Stage::reserved: return next_reserved(now);
    case Stage::admitted: return next_admitted(now);
    case Stage::queued:
      if (front_) return want(Intent::advance);
      if (now < next_look_) return sleep_until(now, next_look_);
      return {.what = Step::What::look};
    case Stage::claimed: return {.what = Step::What::start};
    case Stage::starting:
      if (ticket_ == 0) break;  // the lease has gone with its generation
      if (now - began_ > limits_.longest_start_up) return want(Intent::release);
      if (now < renew_at_) return sleep_until(now, renew_at_);
      return want(Intent::renew);
    case Stage::through:
      if (ticket_ != 0) return want(Intent::release);
      break;
  }
  return {.what = Step::What::over};
}

// Suspended, stopped or the clock was set: whoever had the same thought would start with us.
bool GateCourse::late(GateTime now, GateTime start) const {
  return now - start > std::max(limits_.spacing / 2, kLateLeast);
}

GateCourse::Step GateCourse::next_reserved(GateTime now) {
  if (now < start_) return sleep_until(now, start_);
  if (late(now, start_)) return want(Intent::reserve);
  return {.what = Step::What::start};
}

GateCourse::Step GateCourse::next_admitted(GateTime now) {
  if (now < start_) return sleep_until(now, start_);
  return want(Intent::claim);
}

// Half of the time to our turn, so that we are there when it comes.
Nanos GateCourse::poll_after(const GateRecord& newest, GateTime now) {
  const Nanos fastest = std::max(std::clamp(newest.start_up / 8, kFastestPoll, kPollOfTheNext),
                                 kRoundTrips * round_trip_);
  // The first ones look for their place, the others for how far it has come.
  Nanos half = position_ <= kClosest ? Nanos(0) : estimate_ / 2;
  half = std::max(half, newest.blocked_until - now);  // nobody is let in before
  const Nanos after = std::clamp(half, fastest, std::max(kSlowestPoll, fastest));
  return std::chrono::duration_cast<Nanos>(after * (0.75 + dice() / 2));
}

double GateCourse::dice() { return share_of(mixed(dice_ += 0x9e3779b97f4a7c15)); }

std::uint64_t GateCourse::queue_place(const GateRecord& record) const {
  return ticket_ > record.admitted ? ticket_ - record.admitted : 0;
}

// Where the newest record puts us.
void GateCourse::place_in(const GateRecord& record, GateTime now) {
  front_ = false;
  if (record.generation != generation_) {
    stage_ = Stage::outside;
    return;
  }
  position_ = queue_place(record);
  estimate_ = gate_rules::estimate(record, limits_, position_);
  if (const Lease* lease = gate_rules::lease_of(record, ticket_)) {
    stage_ = Stage::admitted;
    // Our own clock may be behind the writer's; what counts is how long after it.
    start_ = lease->start - (gate_rules::time_in(record, now) - now);
    return;
  }
  // Let in, but the lease has lapsed: a new ticket.
  stage_ = position_ == 0 ? Stage::outside : Stage::queued;
  next_look_ = now + poll_after(record, now);
}

void GateCourse::saw(const GateRecord& newest, GateTime now) {
  if (stage_ != Stage::queued) return;
  place_in(newest, now);
  if (stage_ != Stage::queued) return;
  GateRecord ahead = newest;
  const bool possible = gate_rules::advance(ahead, limits_, now);
  could_advance_ = possible ? could_advance_ + 1 : 0;
  // The first ones let themselves in; others only when those seem to be dead.
  front_ = possible && (ticket_ <= ahead.admitted || could_advance_ >= kPatience);
  // Written down by the first who sees it, else its time would begin anew with each look.
  front_ = front_ || ahead.amended;
  // All who start have died, and the gate's clock would leap with each look.
  if (newest.clock != seen_clock_) seen_since_ = now;
  seen_clock_ = newest.clock;
  front_ = front_ || now - seen_since_ > kLongestSilence;
}

std::optional<GateRecord> GateCourse::change(const GateRecord& newest, GateTime now) {
  GateRecord record = newest;
  const bool other = newest.generation != generation_;
  switch (intent_) {
    case Intent::nothing: return {};
    case Intent::reserve: reserving_ = gate_rules::reserve(record, limits_, now); return record;
    case Intent::join:
      ticket_ = gate_rules::join(record, limits_, now);
      gate_rules::advance(record, limits_, now);
      return record;
    default: break;
  }
  if (other) {  // there is nothing of ours in it
    if (waiting()) stage_ = Stage::outside;
    if (!waiting() || leaving_) ticket_ = 0;
    return {};
  }
  switch (intent_) {
    case Intent::advance:
      if (!gate_rules::advance(record, limits_, now) && !record.amended &&
          now - seen_since_ <= kLongestSilence) {
        place_in(newest, now);
        return {};
      }
      return record;
    case Intent::claim:
      if (!gate_rules::claim(record, limits_, ticket_, now)) {
        stage_ = Stage::outside;
        return {};
      }
      return record;
    case Intent::renew: gate_rules::renew(record, ticket_, began_, now); return record;
    case Intent::release: gate_rules::release(record, limits_, ticket_, now); return record;
    default: break;
  }
  if (ticket_ != 0) {
    gate_rules::leave(record, limits_, ticket_, now);
  } else {
    gate_rules::give_back(record, limits_, place_, now);
  }
  return record;
}

void GateCourse::committed(const GateRecord& record, GateTime now) {
  const Nanos ahead = record.clock - now;
  switch (std::exchange(intent_, Intent::nothing)) {
    case Intent::reserve:
      stage_ = Stage::reserved;
      generation_ = record.generation;
      place_ = reserving_;
      start_ = reserving_ - ahead;
      position_ = 1;
      if (limits_.spacing > Nanos(0) && start_ > now) {
        position_ += static_cast<std::uint64_t>((start_ - now) / limits_.spacing);
      }
      return;
    case Intent::join:
      generation_ = record.generation;
      stage_ = Stage::queued;
      could_advance_ = 0;
      seen_since_ = now;
      return place_in(record, now);
    case Intent::advance:
      could_advance_ = 0;
      seen_since_ = now;
      return place_in(record, now);
    case Intent::claim:
      if (!gate_rules::lease_of(record, ticket_)->started) return place_in(record, now);
      stage_ = Stage::claimed;
      began_ = now;
      [[fallthrough]];
    case Intent::renew: renew_at_ = now + kRenewAfter; return;
    case Intent::release:
      ticket_ = 0;
      stage_ = Stage::through;
      return;
    case Intent::leave:
      ticket_ = 0;
      stage_ = Stage::outside;
      return;
    case Intent::nothing: return;
  }
}

void GateCourse::began(GateTime now) {
  stage_ = stage_ == Stage::claimed ? Stage::starting : Stage::through;
  began_ = now;
}

void GateCourse::through() {
  if (!waiting()) stage_ = Stage::through;
}

void GateCourse::leave() { leaving_ = true; }

bool GateCourse::holds_place() const { return stage_ == Stage::reserved || ticket_ != 0; }

GateCourse::Outlook GateCourse::outlook(GateTime now) const {
  if (stage_ == Stage::outside || !waiting()) return {};
  if (stage_ == Stage::queued) return {.wait = estimate_, .position = position_};
  return {.wait = std::max(start_ - now, Nanos(0)),
          .position = std::max<std::uint64_t>(position_, 1)};
}

}  // namespace pw
