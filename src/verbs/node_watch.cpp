#include "verbs/node_watch.hpp"

#include <signal.h>
#include <unistd.h>

#include <algorithm>

#include "config/environment.hpp"
#include "core/duration.hpp"
#include "core/number.hpp"
#include "os/clock.hpp"
#include "os/loop.hpp"
#include "os/reaper.hpp"
#include "verbs/registration.hpp"

namespace pw {
namespace {

// A unit is up without an answer, too: it must not hold up a boot.
constexpr Nanos kReadyAtLatest = Seconds(1);
// Files that come in a crowd are read together.
constexpr Nanos kTogether = Millis(20);
constexpr Nanos kBetweenReadings = Millis(250);
constexpr int kFilesAtOnce = 64;  // then signals, timers and the watchdog have their turn
constexpr Nanos kLastHook = Seconds(2);
// A folder that is not there yet.
constexpr Nanos kLookAgain = Seconds(5);
constexpr Nanos kReadingLimit = Seconds(10);
// After the end of the machine that did not come, whoever registers is told no more.
constexpr Nanos kRemembered = std::chrono::minutes(10);
constexpr Nanos kQuestionToSystemd = Seconds(2);
constexpr std::size_t kRefusedMost = 256;
constexpr Nanos kRefusedFor = std::chrono::hours(1);  // then they are told again

std::optional<Nanos> watchdog_of_unit() {
  const std::string pid = environment_value("WATCHDOG_PID");
  if (!pid.empty() && pid != std::to_string(getpid())) return {};
  const auto usec = parse_number(environment_value("WATCHDOG_USEC"));
  if (!usec || *usec == 0 || *usec > INT64_MAX / 1000) return {};
  return Nanos(*usec * 1000) / 2;
}

}  // namespace

NodeWatch::NodeWatch(WatchSettings settings, SignalFd signals, Chronicle& chronicle)
    : settings_(std::move(settings)),
      signals_(std::move(signals)),
      chronicle_(chronicle),
      cloud_(settings_.cloud, chronicle),
      hooks_(chronicle, ""),
      service_(environment_value("NOTIFY_SOCKET")),
      watchdog_(watchdog_of_unit()) {}

int NodeWatch::run() {
  open();
  while (!over_) {
    tell_manager();
    chronicle_.flush();
    wait();
  }
  service_.stopping();
  const Instant last = monotonic_now() + kLastHook;
  while (hooks_.running() && !hooks_.all_given_up() && monotonic_now() < last) {
    chronicle_.flush();
    wait_for(signals_, {}, std::min(hooks_.next_limit().value_or(last), last));
    hooks_.advance();
  }
  chronicle_.close();
  return 0;
}

void NodeWatch::open() {
  began_ = monotonic_now();
  if (settings_.state_dir.empty()) settings_.state_dir = environment_value("STATE_DIRECTORY");
  if (!settings_.state_dir.empty()) {
    auto book = ToldBook::open(settings_.state_dir);
    if (book) book_.emplace(std::move(*book));
    if (!book) chronicle_.warn(book.error().text() + "; a restart would tell everybody again");
  }
  if (settings_.cloud.kind != CloudSource::Kind::none) cloud_.open();
  if (book_ && book_->names_an_end(began_)) cloud_.stood_before();
  chronicle_.log(LogLevel::info, "watching " + (cloud_.asks() ? cloud_.cloud() : "for a shutdown") +
                                     " for the runs in " + settings_.run_dir);
  look_at_ = began_;
}

std::optional<Instant> NodeWatch::next_wake() const {
  std::optional<Instant> wake = look_at_;
  if (reading_) wake = read_at_ + kReadingLimit;
  wake = earlier(wake, cloud_.wake());
  wake = earlier(wake, hooks_.next_limit());
  for (const NodeNotice& notice : notices_) {
    wake = earlier(wake, notice.wake());
    if (notice.end()) wake = earlier(wake, *notice.end() + kRemembered);
  }
  if (stopping_) wake = earlier(wake, stopping_->wake());
  if (!ready_) wake = earlier(wake, began_ + kReadyAtLatest);
  if (watchdog_) wake = earlier(wake, fed_ + *watchdog_);
  return wake;
}

void NodeWatch::wait() {
  std::vector<int> fds;
  cloud_.add_fds(fds);
  chronicle_.add_trouble_fds(fds);
  if (folders_.fd() >= 0) fds.push_back(folders_.fd());
  if (reading_ && reading_->fd() >= 0) fds.push_back(reading_->fd());
  if (stopping_ && stopping_->output_fd() >= 0) fds.push_back(stopping_->output_fd());
  for (const NodeNotice& notice : notices_) notice.add_fds(fds);
  if (const auto caught = wait_for(signals_, fds, next_wake())) take(*caught);
  if (over_) return;
  hear_cloud();
  if (stopping_) hear_whether_stopping();
  if (over_) return;
  hooks_.advance();
  if (reading_) hear_reading();
  // Whoever writes there without end is read at intervals.
  if (folders_.drain()) {
    const Instant soon = std::max(monotonic_now() + kTogether, read_at_ + kBetweenReadings);
    look_at_ = std::min(look_at_.value_or(soon), soon);
  }
  look_around();
  advance();
}

void NodeWatch::take(const CaughtSignal& caught) {
  switch (caught.signal) {
    case SIGCHLD: return reap();
    case SIGHUP: look_at_ = monotonic_now(); return;
    case SIGTERM:
    case SIGINT:
      if (!shutdown_ && !stopping_) ask_whether_stopping();
      return;
    default: return;
  }
}

void NodeWatch::reap() {
  for (pid_t pid = next_ended_child(); pid > 0; pid = next_ended_child()) {
    if (hooks_.owns(pid)) {
      hooks_.advance();
    } else if (stopping_ && stopping_->id().pid == pid) {
      hear_whether_stopping();
    } else {
      reap_orphan(pid);
    }
  }
}

void NodeWatch::hear_cloud() {
  for (const CloudWatch::News& news : cloud_.hear()) {
    if (news.withdrawn) withdraw();
    for (const CloudWatch::Notice& notice : news.notices) {
      begin({.words = notice.words,
             .key = notice.end ? "leave" : notice.kind + " " + notice.id,
             .as = settings_.notice_as,
             .end = notice.end,
             .margin = settings_.margin},
            "cloud");
    }
  }
}

// Not of a shutdown, which goes on.
void NodeWatch::withdraw() {
  if (shutdown_) return;
  for (NodeNotice& notice : notices_) {
    if (notice.end()) notice.withdraw();
  }
  std::erase_if(notices_, [](const NodeNotice& notice) { return notice.end().has_value(); });
  if (!book_) return;
  book_->forget_end();
  recalls_ = true;
  look_at_ = monotonic_now();
}

// Told by one before us, of an end that was withdrawn when nobody listened. Whoever is to be told
// of another end now learns that instead.
void NodeWatch::recall(const PidTarget& process) {
  if (!book_->knows(process.id(), monotonic_now())) return;
  book_->forget(process.id());
  const bool another = std::any_of(notices_.begin(), notices_.end(), [](const NodeNotice& notice) {
    return notice.end().has_value();
  });
  if (another || !is_a_run(process)) return;
  process.send(signal_for_run(process, settings_.notice_as),
               encode({QueuedNotice::Kind::withdrawn}));
  chronicle_.log(LogLevel::info, process.name() + " (pid " + std::to_string(process.id().pid) +
                                     "), told before our restart, knows that it stays");
}

void NodeWatch::begin(NodeNotice::Plan plan, const char* cause) {
  const Instant now = monotonic_now();
  // Of one before us: what it has seen first counts.
  if (plan.end && book_) plan.end = book_->earliest(*plan.end, now);
  const auto end = plan.end;
  const auto left = end ? std::optional<Nanos>(*end - now) : std::nullopt;
  const auto known = std::find_if(notices_.begin(), notices_.end(), [&](const NodeNotice& notice) {
    return notice.key() == plan.key;
  });
  chronicle_.log(LogLevel::info, "notice from " + plan.words, left);
  JournalRecord record;
  record.add("source", cause).add("words", plan.words);
  if (left) record.add("left_ms", left->count() / 1'000'000);
  chronicle_.journal("notice", record);
  if (known == notices_.end()) {
    hooks_.run("on-notice", settings_.on_notice, {.deadline = end, .cause = cause});
    notices_.emplace_back(std::move(plan), book_ ? &*book_ : nullptr, chronicle_);
  } else if (end && known->end() && *end < *known->end()) {
    known->come_nearer(*end);
  }
  look_at_ = now;
}

// The folder is watched before it is read: whoever comes in between is seen by either.
void NodeWatch::look_around() {
  const Instant now = monotonic_now();
  if (!look_at_ || reading_ || now < *look_at_) return;
  look_at_.reset();
  folders_.drain();
  if (!folders_.add(settings_.run_dir)) {
    if (refused_.insert(settings_.run_dir).second) {
      chronicle_.warn(settings_.run_dir + " cannot be watched yet; nobody is registered there");
    }
    look_at_ = now + kLookAgain;
    return;
  }
  if (!presence_.announce(settings_.run_dir) && !std::exchange(told_unseen_, true)) {
    chronicle_.warn(settings_.run_dir +
                    " is served by another preempt-wrap watch, or cannot be "
                    "written: runs that register there are warned");
  }
  bool all_watched = folders_.fd() >= 0;
  for (const std::string& folder : folders_of(settings_.run_dir)) {
    all_watched = folders_.add(folder) && all_watched;
  }
  auto reading = PidFileReading::of_folders(settings_.run_dir);
  if (!reading) {
    chronicle_.warn(reading.error().text());
    look_at_ = now + kLookAgain;
    return;
  }
  if (!all_watched) look_at_ = now + kLookAgain;
  read_at_ = now;
  seen_ = not_believed_ = 0;
  reading_.emplace(std::move(*reading));
}

void NodeWatch::hear_reading() {
  for (int files = 0; files < kFilesAtOnce; ++files) {
    const auto file = reading_->next(Instant{});
    if (!file) break;
    take_file(*file);
  }
  if (!reading_->over()) {
    if (monotonic_now() < read_at_ + kReadingLimit) return;
    chronicle_.warn(settings_.run_dir + " does not answer within " + spoken(kReadingLimit));
  }
  if (!reading_->complete() && !look_at_) look_at_ = monotonic_now() + kLookAgain;
  reading_.reset();
  recalls_ = recalls_ && look_at_;  // asked for while it was under way, or not complete
  trainers_ = seen_;
  for (NodeNotice& notice : notices_) notice.refused(not_believed_);
  std::erase_if(notices_, [](const NodeNotice& notice) { return !notice.end() && notice.quiet(); });
}

void NodeWatch::take_file(const Result<PidFileFacts>& file) {
  if (!file) return refuse(file.error().text());
  auto process = PidTarget::prove(*file, asker_here(HostRule::this_host));
  if (!process && process.error().why == std::errc::no_such_process) return;
  if (!process) return refuse(process.error().text());
  ++seen_;
  if (recalls_) recall(*process);
  const Instant now = monotonic_now();
  for (NodeNotice& notice : notices_) {
    auto again = PidTarget::prove(*file, asker_here(HostRule::this_host));
    if (again) {
      notice.tell(std::move(*again), now);
    } else if (again.error().why != std::errc::no_such_process) {
      refuse(again.error().text());
    }
  }
}

// Whoever plants files shall fill no log.
void NodeWatch::refuse(const std::string& why) {
  ++not_believed_;
  const Instant now = monotonic_now();
  if (now >= refused_since_ + kRefusedFor) {
    refused_.clear();
    refused_since_ = now;
  }
  if (refused_.size() >= kRefusedMost || !refused_.insert(why).second) return;
  chronicle_.warn(why + "; nothing was signalled");
}

void NodeWatch::advance() {
  const Instant now = monotonic_now();
  for (NodeNotice& notice : notices_) {
    notice.advance(now);
    if (const std::string trouble = notice.take_trouble(); !trouble.empty()) {
      chronicle_.warn(trouble);
    }
    if (reading_ || look_at_) continue;
    if (const auto summary = notice.take_summary()) {
      chronicle_.log(LogLevel::info, *summary);
      chronicle_.journal("delivered", JournalRecord().add("text", *summary));
      if (notice.end() && !shutdown_) cloud_.saved();
    }
  }
  std::erase_if(notices_, [now](const NodeNotice& notice) {
    return notice.end() && now > *notice.end() + kRemembered;
  });
  if (!shutdown_ || reading_ || look_at_) return;
  over_ = std::all_of(notices_.begin(), notices_.end(),
                      [](const NodeNotice& notice) { return notice.quiet(); });
}

// Only systemd knows whether it stops us or everything. Its answer takes milliseconds.
void NodeWatch::ask_whether_stopping() {
  auto asked = Helper::start({"systemctl", "is-system-running"}, trainer_environment(),
                             Helper::Output::captured, monotonic_now() + kQuestionToSystemd);
  if (asked) {
    stopping_.emplace(std::move(*asked));
  } else {
    over_ = true;  // no systemd here: somebody wants us to end
  }
}

void NodeWatch::hear_whether_stopping() {
  stopping_->read_output();
  if (!stopping_->enforce_limit() && !stopping_->reap()) return;
  stopping_->read_output();
  const std::string answer = stopping_->output();
  shutdown_ = answer.starts_with("stopping");
  stopping_.reset();
  if (!shutdown_) {
    const bool said = !answer.empty() && !answer.starts_with("unknown");
    const char* const known = "ends; the system goes on, so nobody is told";
    const char* const not_known =
        "ends; systemd does not say whether the system is being stopped, "
        "so nobody is told";
    chronicle_.log(said ? LogLevel::info : LogLevel::warning, said ? known : not_known);
    over_ = true;
    return;
  }
  service_.extend(settings_.lead + kReadyAtLatest);
  begin({.words = "systemd (shutdown)",
         .key = "leave",
         .as = settings_.notice_as,
         .end = monotonic_now() + settings_.lead,
         .margin = settings_.margin},
        "shutdown");
}

void NodeWatch::tell_manager() {
  const Instant now = monotonic_now();
  if (watchdog_ && now >= fed_ + *watchdog_) {
    service_.alive();
    fed_ = now;
  }
  const bool up = cloud_.answers() || !cloud_.asks() || now >= began_ + kReadyAtLatest;
  if (up && !std::exchange(ready_, true)) service_.ready();
  for (const NodeNotice& notice : notices_) {
    if (notice.end())
      return service_.status("notice from " + notice.words() + ": " + notice.state());
  }
  const std::string whom = cloud_.asks() ? cloud_.cloud() : "for a shutdown";
  const std::string state = cloud_.asks() && !cloud_.answers() ? " (no answer)" : "";
  service_.status("watching " + whom + state + ", " + std::to_string(trainers_) +
                  (trainers_ == 1 ? " run registered" : " runs registered"));
}

}  // namespace pw
