#include "core/gate_plan.hpp"

#include <algorithm>
#include <array>
#include <cstdio>
#include <queue>

#include "core/duration.hpp"
#include "core/gate_course.hpp"

namespace pw {
namespace {

constexpr GateTime kBegin{Seconds(1'764'000'000)};
constexpr int kRequestsToRead = 3;   // open, list, readlink
constexpr int kRequestsToWrite = 1;  // symlink
constexpr std::size_t kColumns = 60;
constexpr std::size_t kRows = 12;

struct Task {
  GateCourse course;
  std::optional<GateTime> ready_at;
};

// Whoever comes next goes on; of two at the same time the one that came first.
struct Turn {
  GateTime at;
  std::size_t task;
  bool operator<(const Turn& other) const {
    return at != other.at ? at > other.at : task > other.task;
  }
};

class Rehearsal {
 public:
  Rehearsal(std::size_t tasks, const GateLimits& limits, Nanos start_up)
      : limits_(limits), start_up_(start_up) {
    for (std::size_t n = 0; n < tasks; ++n) {
      tasks_.push_back({.course = GateCourse(limits, n), .ready_at = {}});
      turns_.push({kBegin, n});
    }
  }

  GatePlan run() {
    while (!turns_.empty()) {
      const Turn turn = turns_.top();
      turns_.pop();
      go_on(turn.task, turn.at);
    }
    return std::move(plan_);
  }

 private:
  void go_on(std::size_t number, GateTime now) {
    using What = GateCourse::Step::What;
    Task& task = tasks_[number];
    if (task.ready_at && now >= *task.ready_at) {
      task.ready_at.reset();
      --starting_;
      task.course.through();
    }
    const GateCourse::Step step = task.course.next(now);
    switch (step.what) {
      case What::look:
        plan_.requests += kRequestsToRead;
        task.course.saw(record_, now);
        return turns_.push({now, number});
      case What::commit: commit(task, now); return turns_.push({now, number});
      case What::start: start(task, now); return turns_.push({now, number});
      case What::sleep: return turns_.push({wake_of(task, step.until, now), number});
      default:
        if (task.ready_at) turns_.push({*task.ready_at, number});
    }
  }

  // Nobody pauses this gate, so nobody looks whether somebody has.
  GateTime wake_of(const Task& task, GateTime until, GateTime now) const {
    const auto outlook = task.course.outlook(now);
    if (!limits_.ticketed() && outlook.wait) return now + *outlook.wait;
    return task.ready_at ? std::min(until, *task.ready_at) : until;
  }

  void commit(Task& task, GateTime now) {
    plan_.requests += kRequestsToRead + kRequestsToWrite;
    auto changed = task.course.change(record_, now);
    if (!changed) return;
    record_ = std::move(*changed);
    task.course.committed(record_, now);
  }

  void start(Task& task, GateTime now) {
    task.course.began(now);
    plan_.starts.push_back(now - kBegin);
    task.ready_at = now + start_up_;
    plan_.most_starting = std::max(plan_.most_starting, ++starting_);
  }

  GateLimits limits_;
  Nanos start_up_;
  GateRecord record_ = gate_rules::fresh(1, kBegin);
  std::vector<Task> tasks_;
  std::priority_queue<Turn> turns_;
  std::size_t starting_ = 0;
  GatePlan plan_;
};

template <class... Values>
std::string line(const char* format, Values... values) {
  std::array<char, 160> text{};
  std::snprintf(text.data(), text.size(), format, values...);
  return text.data();
}

std::size_t busiest_second(const std::vector<Nanos>& starts) {
  std::size_t most = 0;
  std::size_t first = 0;
  for (std::size_t last = 0; last < starts.size(); ++last) {
    while (starts[last] - starts[first] >= Seconds(1)) ++first;
    most = std::max(most, last - first + 1);
  }
  return most;
}

// Each column shows how many have started by its end.
std::string curve(const GatePlan& plan) {
  const Nanos whole = std::max(plan.makespan(), Nanos(1));
  std::array<std::size_t, kColumns> heights{};
  for (std::size_t column = 0; column < kColumns; ++column) {
    const Nanos until = whole / static_cast<int>(kColumns) * static_cast<int>(column + 1);
    const auto started =
        std::upper_bound(plan.starts.begin(), plan.starts.end(), until) - plan.starts.begin();
    heights[column] = static_cast<std::size_t>(started) * kRows / plan.starts.size();
  }
  heights.back() = kRows;
  std::string text;
  for (std::size_t row = kRows; row > 0; --row) {
    const std::size_t count = plan.starts.size() * row / kRows;
    text += row % 3 == 0 ? line("%9zu |", count) : line("%9s |", "");
    for (const std::size_t height : heights) text += height >= row ? '#' : ' ';
    text.erase(text.find_last_not_of(' ') + 1);
    text += "\n";
  }
  return text + line("%9s +%s\n%9s 0%59s\n", "", std::string(kColumns, '-').c_str(), "",
                     spoken(whole).c_str());
}

}  // namespace

GatePlan plan_gate(std::size_t tasks, const GateLimits& limits, Nanos start_up) {
  return Rehearsal(tasks, limits, start_up).run();
}

std::string plan_text(const GatePlan& plan) {
  if (plan.starts.empty()) return "no tasks\n";
  const auto tasks = static_cast<double>(plan.starts.size());
  const double seconds = std::chrono::duration<double>(plan.makespan()).count();
  std::string text = "started\n" + curve(plan) + "\n";
  text += line("makespan        %s until the last start\n", spoken(plan.makespan()).c_str());
  if (seconds > 0) text += line("mean rate       %.2f/s\n", tasks / seconds);
  text += line("busiest second  %zu starts\n", busiest_second(plan.starts));
  text += line("in start-up     %zu at most\n", plan.most_starting);
  text += line("requests        %.1f a task to the folder's server, without ctl every 10 s\n",
               static_cast<double>(plan.requests) / tasks);
  return text;
}

}  // namespace pw
