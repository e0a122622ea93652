#include "gate_world.hpp"

#include <algorithm>

namespace pw {
namespace {

// Longer than any sleep: what has not come to an end by then hangs.
constexpr std::uint64_t kMostSteps = 100'000;
constexpr int kRequestsToRead = 2;   // list, readlink
constexpr int kRequestsToWrite = 1;  // symlink

}  // namespace

GateWorld::GateWorld(GateWorldPlan plan, std::uint64_t seed) : plan_(plan), dice_(seed) {
  for (std::size_t n = 0; n < plan_.runs; ++n) {
    Run run{.course = GateCourse(plan_.limits, dice_.next(), plan_.request)};
    run.clock_off = dice_.up_to(2 * plan_.clock_error) - plan_.clock_error;
    run.start_up = plan_.start_up_least + dice_.up_to(plan_.start_up_most - plan_.start_up_least);
    if (plan_.crash_one_in != 0 && dice_.one_in(static_cast<std::uint64_t>(plan_.crash_one_in))) {
      run.dies_at = kBegin + dice_.up_to(std::chrono::minutes(3));
    }
    runs_.push_back(std::move(run));
    const Nanos share = plan_.arrive_within * static_cast<std::int64_t>(n);
    later(n, kBegin + share / static_cast<std::int64_t>(plan_.runs));
  }
  if (plan_.pauses) {
    const WallTime at = kBegin + dice_.up_to(Seconds(60));
    events_.push({at, 0, Event::What::pause});
    events_.push({at + dice_.up_to(Seconds(300)), 0, Event::What::resume});
  }
}

void GateWorld::demand(bool holds, const char* promise) {
  if (!holds && broken_.empty()) broken_ = promise;
}

double GateWorld::requests_per_run() const {
  return static_cast<double>(requests_) / static_cast<double>(runs_.size());
}

GateTime GateWorld::clock_of(const Run& run) const {
  return gate_time(control_, now_ + run.clock_off);
}

void GateWorld::later(std::size_t number, WallTime at, Event::What what) {
  events_.push({at, number, what});
}

// One server, one queue.
WallTime GateWorld::served(int requests) {
  requests_ += static_cast<std::uint64_t>(requests);
  server_free_ = std::max(server_free_, now_) + requests * plan_.request;
  return server_free_;
}

WallTime GateWorld::asked(Run& run) {
  const int requests = kRequestsToRead + kRequestsToWrite;
  const WallTime done = served(requests);
  run.round_trip = (done - now_) / requests;
  return done;
}

std::string GateWorld::run() {
  const std::uint64_t most = kMostSteps + 2'000 * runs_.size();
  while (!events_.empty() && broken_.empty() && steps_ < most) {
    const Event event = events_.top();
    events_.pop();
    now_ = std::max(now_, event.at);
    ++steps_;
    happen(event);
  }
  demand(events_.empty() || !broken_.empty(), "all come to an end");
  for (const Run& run : runs_) demand(!run.alive || run.started, "everybody who lives starts");
  return broken_;
}

void GateWorld::steer(GateWord word) { control_ = steered(control_, word, "", now_); }

void GateWorld::happen(const Event& event) {
  if (event.what == Event::What::pause) return steer(GateWord::pause);
  if (event.what == Event::What::resume) return steer(GateWord::run);
  Run& run = runs_[event.run];
  if (!run.alive) return;
  if (run.dies_at && now_ >= *run.dies_at) {
    run.alive = false;
    if (run.started && run.ready_at) --starting_;
    return;
  }
  if (event.what == Event::What::commit) return commit(event.run);
  go_on(event.run);
}

void GateWorld::go_on(std::size_t number) {
  using What = GateCourse::Step::What;
  Run& run = runs_[number];
  if (run.ready_at && now_ >= *run.ready_at) {
    run.ready_at.reset();
    --starting_;
    run.course.through();
  }
  run.course.told(control_);
  const GateCourse::Step step = run.course.next(clock_of(run));
  switch (step.what) {
    case What::look: return look(number);
    case What::commit:
      // What is read now is written when the server comes to it.
      run.base = read(run);
      run.base_number = number_;
      return later(number, asked(run), Event::What::commit);
    case What::start: return start(number);
    case What::sleep: break;
    default:
      if (run.ready_at) later(number, *run.ready_at);
      return;
  }
  const Nanos stands = stands_for(control_, now_ + run.clock_off);
  const Nanos length = std::max<Nanos>(step.until - clock_of(run), Nanos(0)) + stands;
  WallTime at = now_ + std::clamp<Nanos>(length, Millis(1), kControlEvery);
  if (run.ready_at) at = std::min(at, *run.ready_at);
  later(number, at);
}

GateRecord GateWorld::read(const Run& run) {
  GateRecord record = readable_;
  gate_rules::bridge(record, unreadable_, plan_.limits, clock_of(run));
  return record;
}

void GateWorld::look(std::size_t number) {
  Run& run = runs_[number];
  const WallTime done = served(kRequestsToRead);
  run.course.saw(read(run), clock_of(run));
  later(number, done);
}

void GateWorld::commit(std::size_t number) {
  Run& run = runs_[number];
  if (run.base_number != number_) {  // somebody was faster
    const Nanos least = std::max<Nanos>(Millis(5), 4 * run.round_trip);
    run.backoff = least + dice_.up_to(3 * std::max(least, run.backoff) - least);
    return later(number, now_ + run.backoff);
  }
  const GateTime at = clock_of(run);
  const auto changed = run.course.change(*run.base, at);
  if (changed) {
    ++number_;
    newest_ = *decode_gate_record(encode(*changed));
    const bool garbled =
        plan_.garbled_one_in != 0 && dice_.one_in(static_cast<std::uint64_t>(plan_.garbled_one_in));
    unreadable_ = garbled ? unreadable_ + 1 : 0;
    if (!garbled) readable_ = newest_;
    run.course.committed(*changed, at);
    run.backoff = Nanos(0);
  }
  later(number, now_);
}

void GateWorld::start(std::size_t number) {
  Run& run = runs_[number];
  demand(!run.started, "nobody starts twice");
  demand(control_.word == GateWord::run, "nobody starts in a pause");
  run.started = true;
  run.course.began(clock_of(run));
  ++started_;
  ++starting_;
  starts_.push_back(now_);
  last_start_ = now_;
  most_starting_ = std::max(most_starting_, starting_);
  run.ready_at = now_ + run.start_up;
  if (plan_.limits.ticketed()) {
    demand(starting_ <= static_cast<std::size_t>(plan_.limits.max_starting),
           "never more than N are in start-up");
  }
  const Nanos spacing = plan_.limits.spacing;
  if (spacing > Nanos(0)) {
    // In one second: the rate, the fence post, and what two clocks may differ.
    const auto from = std::lower_bound(starts_.begin(), starts_.end(), now_ - Seconds(1));
    const auto in_window = starts_.end() - from;
    const Nanos slack = Seconds(1) + 2 * plan_.clock_error + Millis(100) + 10 * plan_.request;
    demand(in_window <= slack / spacing + 2, "the rate is held in every second");
  }
  later(number, now_);
}

}  // namespace pw
