#pragma once
#include <deque>
#include <optional>
#include <queue>
#include <string>
#include <vector>

#include "core/gate_course.hpp"
#include "dice.hpp"

namespace pw {

/// What a gate's world is like; a row of gate_sim.cpp, or drawn from a seed.
struct GateWorldPlan {
  std::size_t runs = 10;
  GateLimits limits;
  Nanos arrive_within = Seconds(1);
  Nanos start_up_least = Seconds(10);
  Nanos start_up_most = Seconds(30);
  Nanos request = Millis(1);  ///< the server's time for one, in order of arrival
  Nanos clock_error{0};       ///< each run's clock is within this of the true time
  int crash_one_in = 0;       ///< of this many runs one is killed at some moment; 0: none
  int garbled_one_in = 0;     ///< of this many commits one cannot be read afterwards; 0: none
  bool pauses = false;
  int far_clock_one_in = 0;  ///< of this many runs one has a clock that is `far_clock` ahead
  Nanos far_clock{0};
  int notice_one_in = 0;      ///< of this many runs one is told to end at some moment
  int gives_back_one_in = 0;  ///< of this many deaths one is noticed by the keeper
  Nanos stale{0};             ///< what is read may be so old
  bool resets = false;
  GateWord ends_with = GateWord::run;  ///< stop or cancel, at some moment
};

/// Runs on their way through one gate: a ledger on a server that serves in order, with
/// compare-and-swap, late answers, deaths, wrong clocks, pauses and records that cannot be read.
/// Checks what core/gate_policy and core/gate_course promise. In true time, which no run knows.
class GateWorld {
 public:
  GateWorld(GateWorldPlan plan, std::uint64_t seed);

  /// The promise that was broken, or "".
  std::string run();

  Nanos makespan() const { return last_start_ - kBegin; }
  double requests_per_run() const;
  std::size_t most_starting() const { return most_starting_; }
  std::size_t started() const { return started_; }
  std::size_t most_in(Nanos window) const;
  /// How far starts are from the order of tickets, or of arrival without: 0.33 is any order.
  double displacement() const;

 private:
  static constexpr WallTime kBegin{Seconds(1'764'000'000)};
  struct Run {
    GateCourse course;
    Nanos clock_off{0};
    std::optional<WallTime> dies_at;
    Nanos start_up{0};
    std::optional<WallTime> ready_at;
    std::optional<GateRecord> base;  // read for a commit that is under way
    std::uint64_t base_number = 0;
    Nanos backoff{0};
    Nanos round_trip{0};  // measured, the wait for the server in it
    GateControl control;  // as last read
    WallTime control_due = kBegin;
    WallTime control_read{};
    std::optional<WallTime> notice_at;
    std::optional<GateTime> reserved;  // in the gate's own time
    bool gives_back = false;
    bool leaving = false;
    bool ended = false;
    std::uint64_t ticket = 0;  // with which it starts
    bool alive = true;
    bool started = false;
  };
  struct Event {
    WallTime at;
    std::size_t run;
    enum class What { go_on, commit, pause, resume, reset, end } what;
    bool operator<(const Event& other) const { return at > other.at; }
  };

  void demand(bool holds, const char* promise);
  GateTime clock_of(const Run& run) const;
  WallTime served(int requests);
  WallTime asked(Run& run);
  void happen(const Event& event);
  void go_on(std::size_t number);
  void commit(std::size_t number);
  void look(std::size_t number);
  void start(std::size_t number);
  void later(std::size_t number, WallTime at, Event::What what = Event::What::go_on);
  GateRecord read(Run& run);
  void steer(GateWord word);
  void steer_from(GateWord old, GateWord word);
  void reset();
  void reserved(std::size_t number, const GateRecord& record, GateTime at);
  void read_control(Run& run);
  void check_windows();

  GateWorldPlan plan_;
  Dice dice_;
  WallTime now_ = kBegin;
  WallTime server_free_ = kBegin;
  WallTime last_start_ = kBegin;
  GateControl control_;
  std::vector<Run> runs_;
  std::priority_queue<Event> events_;
  GateRecord newest_ = gate_rules::fresh(1, GateTime(kBegin.time_since_epoch()));
  GateRecord readable_ = newest_;
  int unreadable_ = 0;
  std::uint64_t number_ = 0;
  std::uint64_t requests_ = 0;
  std::uint64_t steps_ = 0;
  std::size_t starting_ = 0;
  std::size_t most_starting_ = 0;
  std::size_t started_ = 0;
  std::vector<WallTime> starts_;
  std::vector<std::uint64_t> order_;
  struct Old {
    WallTime until;
    GateRecord record;
    int unreadable;
    std::uint64_t number;
  };
  std::deque<Old> old_;
  std::string broken_;
};

}  // namespace pw
