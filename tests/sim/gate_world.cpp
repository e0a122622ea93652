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
    const auto one_in = [&](int of) { return of != 0 && dice_.one_in(std::uint64_t(of)); };
    if (one_in(plan_.far_clock_one_in)) run.clock_off = plan_.far_clock;
    if (one_in(plan_.notice_one_in)) run.notice_at = kBegin + dice_.up_to(std::chrono::minutes(3));
    run.gives_back = one_in(plan_.gives_back_one_in);
    runs_.push_back(std::move(run));
    const Nanos share = plan_.arrive_within * static_cast<std::int64_t>(n);
    later(n, kBegin + share / static_cast<std::int64_t>(plan_.runs));
  }
  if (plan_.pauses) {
    const WallTime at = kBegin + dice_.up_to(Seconds(60));
    events_.push({at, 0, Event::What::pause});
    events_.push({at + dice_.up_to(Seconds(300)), 0, Event::What::resume});
  }
  if (plan_.resets) events_.push({kBegin + dice_.up_to(Seconds(90)), 0, Event::What::reset});
  if (plan_.ends_with != GateWord::run) {
    events_.push({kBegin + dice_.up_to(Seconds(90)), 0, Event::What::end});
  }
}

void GateWorld::demand(bool holds, const char* promise) {
  if (!holds && broken_.empty()) broken_ = promise;
}

double GateWorld::requests_per_run() const {
  return static_cast<double>(requests_) / static_cast<double>(runs_.size());
}

GateTime GateWorld::clock_of(const Run& run) const {
  return gate_time(run.control, now_ + run.clock_off);
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
  for (const Run& run : runs_) {
    demand(!run.alive || run.started || run.ended, "everybody who lives starts");
  }
  check_windows();
  return broken_;
}

void GateWorld::steer(GateWord word) { control_ = steered(control_, word, "", now_); }

// A gate that has been stopped meanwhile stays it.
void GateWorld::steer_from(GateWord old, GateWord word) {
  if (control_.word == old) steer(word);
}

void GateWorld::happen(const Event& event) {
  if (event.what == Event::What::pause) return steer_from(GateWord::run, GateWord::pause);
  if (event.what == Event::What::resume) return steer_from(GateWord::pause, GateWord::run);
  if (event.what == Event::What::reset) return reset();
  if (event.what == Event::What::end) return steer(plan_.ends_with);
  Run& run = runs_[event.run];
  if (!run.alive) return;
  if (run.dies_at && now_ >= *run.dies_at) {
    if (run.started && run.ready_at) --starting_;
    run.dies_at.reset();
    if (!run.gives_back) {
      run.alive = false;
      return;
    }
    run.ready_at.reset();
    run.ended = run.leaving = true;
    run.course.leave();
  }
  if (run.notice_at && now_ >= *run.notice_at && !run.started) {
    run.notice_at.reset();
    run.ended = run.leaving = true;
    run.course.leave();
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
  if (now_ >= run.control_due) read_control(run);
  run.course.told(run.control);
  const GateCourse::Step step = run.course.next(clock_of(run));
  switch (step.what) {
    case What::look: return look(number);
    case What::commit:
      if (now_ - run.control_read > Seconds(1)) {
        read_control(run);
        run.course.told(run.control);
        if (run.course.next(clock_of(run)).what != What::commit) return later(number, now_);
      }
      // What is read now is written when the server comes to it.
      run.base_number = number_;
      run.base = read(run);
      return later(number, asked(run), Event::What::commit);
    case What::start:
      read_control(run);
      run.course.told(run.control);
      if (run.course.next(clock_of(run)).what != What::start) return later(number, now_);
      return start(number);
    case What::sleep: break;
    case What::stopped:
    case What::cancelled:
      if (run.started) {
        if (run.ready_at) --starting_;
        run.ready_at.reset();
      }
      if (run.leaving) return;
      run.ended = run.leaving = true;
      run.course.leave();
      return later(number, now_);
    default:
      if (run.ready_at) later(number, *run.ready_at);
      return;
  }
  const Nanos stands = stands_for(run.control, now_ + run.clock_off);
  const Nanos length = std::max<Nanos>(step.until - clock_of(run), Nanos(0)) + stands;
  WallTime at = now_ + std::clamp<Nanos>(length, Millis(1), kControlEvery);
  if (!run.started) at = std::min(at, std::max(run.control_due, now_ + Millis(1)));
  if (run.notice_at && !run.started) at = std::min(at, std::max(now_, *run.notice_at));
  if (run.dies_at) at = std::min(at, std::max(now_, *run.dies_at));
  if (run.ready_at) at = std::min(at, *run.ready_at);
  later(number, at);
}

GateRecord GateWorld::read(Run& run) {
  GateRecord record = readable_;
  int unreadable = unreadable_;
  if (!old_.empty() && dice_.one_in(3)) {
    while (!old_.empty() && old_.front().until + plan_.stale < now_) old_.pop_front();
    if (!old_.empty()) {
      record = old_.front().record;
      unreadable = old_.front().unreadable;
      run.base_number = old_.front().number;
    }
  }
  gate_rules::bridge(record, unreadable, plan_.limits, clock_of(run));
  return record;
}

void GateWorld::read_control(Run& run) {
  run.control = control_;
  run.control_read = now_;
  run.control_due = now_ + (run.started ? kControlWhileRunning : kControlEvery);
}

void GateWorld::reset() {
  GateRecord fresh = gate_rules::fresh(newest_.generation + 1, gate_time(control_, now_));
  newest_ = readable_ = fresh;
  unreadable_ = 0;
  ++number_;
  ++control_.resets;
  for (Run& run : runs_) run.reserved.reset();
}

// Never two reservations of one instant: whoever has one is a spacing away from all the others.
void GateWorld::reserved(std::size_t number, const GateRecord& record, GateTime at) {
  Run& run = runs_[number];
  if (plan_.limits.ticketed() || run.leaving || plan_.far_clock_one_in != 0) {
    return run.reserved.reset();
  }
  const auto outlook = run.course.outlook(at);
  if (!outlook.wait) return;
  const GateTime start = record.clock + *outlook.wait;
  for (const Run& other : runs_) {
    if (&other == &run || !other.reserved || !other.alive) continue;
    demand(std::chrono::abs(*other.reserved - start) >= plan_.limits.spacing,
           "never two reservations of one instant");
  }
  run.reserved = start;
}

std::size_t GateWorld::most_in(Nanos window) const {
  std::size_t most = 0;
  std::size_t first = 0;
  for (std::size_t last = 0; last < starts_.size(); ++last) {
    while (starts_[last] - starts_[first] > window) ++first;
    most = std::max(most, last - first + 1);
  }
  return most;
}

double GateWorld::displacement() const {
  std::vector<std::uint64_t> sorted = order_;
  std::sort(sorted.begin(), sorted.end());
  double sum = 0;
  for (std::size_t n = 0; n < order_.size(); ++n) {
    const auto place = std::lower_bound(sorted.begin(), sorted.end(), order_[n]) - sorted.begin();
    sum += std::abs(double(place) - double(n));
  }
  return sum / double(order_.size()) / double(order_.size());
}

void GateWorld::check_windows() {
  if (plan_.limits.spacing == Nanos(0) || plan_.resets || plan_.far_clock_one_in != 0) return;
  for (const Nanos window : {Nanos(Seconds(1)), Nanos(Seconds(5)), Nanos(Seconds(30))}) {
    const Nanos slack = 2 * plan_.clock_error + Millis(100) + 10 * plan_.request;
    const auto most = (window + slack) / plan_.limits.spacing + 2;
    demand(most_in(window) <= static_cast<std::size_t>(most), "the rate is held in every window");
  }
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
    old_.push_back({now_, readable_, unreadable_, number_});
    if (old_.size() > 64) old_.pop_front();
    ++number_;
    newest_ = *decode_gate_record(encode(*changed));
    const bool garbled =
        plan_.garbled_one_in != 0 && dice_.one_in(static_cast<std::uint64_t>(plan_.garbled_one_in));
    unreadable_ = garbled ? unreadable_ + 1 : 0;
    if (!garbled) readable_ = newest_;
    run.course.committed(*changed, at);
    if (plan_.runs <= 100 && plan_.limits.spacing > Nanos(0)) reserved(number, newest_, at);
    run.backoff = Nanos(0);
    if (run.course.next(at).what == GateCourse::Step::What::start) run.ticket = newest_.by;
  }
  later(number, now_);
}

void GateWorld::start(std::size_t number) {
  Run& run = runs_[number];
  demand(!run.started, "nobody starts twice");
  demand(control_.word == GateWord::run, "nobody starts in a pause, nor when it is over");
  demand(!run.leaving, "nobody starts who was told to end");
  order_.push_back(plan_.limits.ticketed() ? run.ticket : number);
  run.started = true;
  run.course.began(clock_of(run));
  ++started_;
  ++starting_;
  starts_.push_back(now_);
  last_start_ = now_;
  most_starting_ = std::max(most_starting_, starting_);
  run.ready_at = now_ + run.start_up;
  // A reset forgets who starts, a clock that far ahead ends some leases too early.
  if (plan_.limits.ticketed() && !plan_.resets && plan_.far_clock_one_in == 0) {
    demand(starting_ <= static_cast<std::size_t>(plan_.limits.max_starting),
           "never more than N are in start-up");
  }
  const Nanos spacing = plan_.limits.spacing;
  if (spacing > Nanos(0) && !plan_.resets && plan_.far_clock_one_in == 0) {
    // In one second: the rate, the fence post, and what two clocks may differ.
    const auto from = std::lower_bound(starts_.begin(), starts_.end(), now_ - Seconds(1));
    const auto in_window = starts_.end() - from;
    const Nanos slack = Seconds(1) + 2 * plan_.clock_error + Millis(100) + 10 * plan_.request;
    demand(in_window <= slack / spacing + 2, "the rate is held in every second");
  }
  later(number, now_);
}

}  // namespace pw
