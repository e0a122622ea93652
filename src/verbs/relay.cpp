#include <poll.h>
#include <signal.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <list>
#include <vector>

#include "core/duration.hpp"
#include "core/exit_status.hpp"
#include "core/relay_settings.hpp"
#include "os/clock.hpp"
#include "os/log_stream.hpp"
#include "os/pid_file_reading.hpp"
#include "verbs/complain.hpp"
#include "verbs/help.hpp"
#include "verbs/job_paths.hpp"
#include "verbs/relay_target.hpp"
#include "verbs/run.hpp"
#include "verbs/settings.hpp"

namespace pw {
namespace {

// A disk that has not answered by then is not waited for, whatever --wait says.
constexpr Nanos kReadingLeast = Seconds(1);
constexpr Nanos kReadingMost = Seconds(10);
// Without pidfds nobody wakes us at a process's end.
constexpr Nanos kLook = Millis(50);

// All processes of one call, each on its own course, all at the same time.
class Relay {
 public:
  explicit Relay(RelaySettings settings)
      : settings_(std::move(settings)), begin_(monotonic_now()) {}

  int run() {
    read_and_tell();
    while (!all_over()) {
      wait();
      for (RelayTarget& target : targets_) target.advance(monotonic_now());
    }
    for (const RelayTarget& target : targets_) worst_ = std::max(worst_, *target.status());
    log_.close();
    return worst_;
  }

 private:
  // Each is told as soon as its file is read: a file behind it may hang.
  void read_and_tell() {
    const bool one = !settings_.pid_file.empty();
    const std::string& path = one ? settings_.pid_file : settings_.run_dir;
    auto reading = one ? PidFileReading::of_file(path) : PidFileReading::of_folder(path);
    if (!reading) return refuse(reading.error().text());
    const Nanos limit = std::clamp(settings_.plan.wait, kReadingLeast, kReadingMost);
    int files = 0;
    while (const auto file = reading->next(begin_ + limit)) {
      ++files;
      take(*file);
      for (RelayTarget& target : targets_) target.advance(monotonic_now());
    }
    if (!reading->over()) refuse(path + " does not answer within " + spoken(limit));
    if (reading->over() && files == 0) none(path, one);
  }

  void say(const std::string& line) { log_.write_line("preempt-wrap: " + line); }

  void take(const Result<PidFileFacts>& file) {
    if (!file) return refuse(file.error().text());
    auto process = PidTarget::prove(*file, asker_here(settings_.host_rule));
    if (!process && process.error().why == std::errc::no_such_process) {
      return say(file->path + ": process " + std::to_string(file->pid) + " is gone already");
    }
    if (!process) return refuse(process.error().text() + remedy(*file));
    for (const RelayTarget& other : targets_) {
      if (other.id() == process->id()) return say(file->path + " names the same process again");
    }
    targets_.emplace_back(std::move(*process), settings_.plan, begin_,
                          [this](const std::string& line) { say(line); });
  }

  const char* remedy(const PidFileFacts& file) const {
    const bool far = file.storage == Storage::network && !carries_host(file.path, host_name());
    return far && settings_.host_rule == HostRule::this_host ? " (--any-host believes it)" : "";
  }

  void refuse(const std::string& why) {
    worst_ = std::max(worst_, kRefused);
    say(why + "; nothing was signalled");
  }

  void none(const std::string& path, bool one) {
    if (one) return refuse(path + " could not be read");
    say(path + " holds no PID files");
  }

  bool all_over() const {
    return std::all_of(targets_.begin(), targets_.end(),
                       [](const RelayTarget& target) { return target.status().has_value(); });
  }

  // Until one of them ends or is to be looked at.
  void wait() const {
    std::vector<pollfd> ends;
    Instant wake = Instant::max();
    for (const RelayTarget& target : targets_) {
      if (target.status()) continue;
      wake = std::min(wake, target.next_wake());
      if (target.fd() < 0) wake = std::min(wake, monotonic_now() + kLook);
      if (target.fd() >= 0) ends.push_back({.fd = target.fd(), .events = POLLIN, .revents = 0});
    }
    const auto timeout = timeout_until(wake);
    ppoll(ends.data(), ends.size(), &*timeout, nullptr);
  }

  RelaySettings settings_;
  Instant begin_;
  LogStream log_;  // a reader of ours that has stopped must not keep a KILL back
  std::list<RelayTarget> targets_;
  int worst_ = kGone;
};

const Origin kOrigin{Layer::command_line, "command line"};

// No command follows here, so a word that is no option does not end them: all mistakes are told at
// once. The word behind an unknown option may be its value.
CommandLine parse_relay_line(std::span<const std::string> words) {
  CommandLine line;
  for (;;) {
    const CommandLine part = parse_command_line(words, relay_option_table());
    line.given.insert(line.given.begin(), part.given.begin(), part.given.end());
    line.errors.insert(line.errors.end(), part.errors.begin(), part.errors.end());
    if (part.wanted != Wanted::run) line.wanted = part.wanted;
    if (part.command.empty()) return line;
    if (part.errors.empty()) {
      line.errors.push_back({kOrigin, "unexpected word " + part.command.front()});
    }
    words = words.last(part.command.size() - 1);
  }
}

// sbatch's patterns, as in the --pid-file that the run was given.
void expand(std::string& path, RelaySettings& settings) {
  if (path.find('%') == std::string::npos) return;
  auto expanded = expand_pattern(path, pattern_values(find_slurm_job(), host_name()));
  if (expanded) {
    path = std::move(*expanded);
  } else {
    settings.errors.push_back({kOrigin, expanded.error().what});
  }
}

}  // namespace

int relay(const Beginning& beginning, std::span<const std::string> words) {
  const CommandLine line = parse_relay_line(words);
  if (line.wanted == Wanted::help && line.errors.empty()) {
    std::fputs(relay_help_text().c_str(), stdout);
    return std::fflush(stdout) == 0 ? 0 : kOwnFailure;
  }
  RelaySettings settings = relay_settings(line.given);
  auto& errors = settings.errors;
  errors.insert(errors.begin(), line.errors.begin(), line.errors.end());
  expand(settings.pid_file, settings);
  expand(settings.run_dir, settings);
  if (!errors.empty()) {
    complain(errors);
    return kOwnFailure;
  }
  // We are no supervisor here: Ctrl-C ends us, and leaves the process to itself. But a reader of
  // our lines that has gone does not.
  sigset_t mask = beginning.signals.mask;
  sigaddset(&mask, SIGPIPE);
  sigprocmask(SIG_SETMASK, &mask, nullptr);
  return Relay(std::move(settings)).run();
}

}  // namespace pw
