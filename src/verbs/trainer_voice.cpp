#include "verbs/trainer_voice.hpp"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "core/command_text.hpp"
#include "core/duration.hpp"
#include "core/number.hpp"
#include "os/clock.hpp"

namespace pw {
namespace {

// More than a queue holds (net.unix.max_dgram_qlen: 10, with systemd 512), so that what was there
// when we woke is heard; then signals and timers have their turn, whoever goes on writing.
constexpr int kAtOnce = 600;
constexpr Nanos kPause = Seconds(1);
constexpr Nanos kTryAgain = Millis(100);

using Environment = std::vector<std::string>;

std::string value_in(const Environment& environment, const std::string& name) {
  for (const std::string& variable : environment) {
    if (variable.starts_with(name + "=")) return variable.substr(name.size() + 1);
  }
  return "";
}

void unset(Environment& environment, const std::string& name) {
  std::erase_if(environment,
                [&name](const std::string& variable) { return variable.starts_with(name + "="); });
}

// The watchdog of the manager above us is fed by what the trainer says. Its WATCHDOG_PID is ours,
// and libsystemd in any other process takes that for "not you"; without it everybody below us,
// behind bash or torchrun, may report. A variable for somebody else's PID was not meant for us.
std::optional<Nanos> watchdog_above(const Environment& environment) {
  const std::string pid = value_in(environment, "WATCHDOG_PID");
  if (!pid.empty() && pid != std::to_string(getpid())) return {};
  const auto usec = parse_number(value_in(environment, "WATCHDOG_USEC"));
  if (!usec || *usec == 0 || *usec > INT64_MAX / 1000) return {};
  return Nanos(*usec * 1000);
}

void tell_watchdog(Environment& environment, std::optional<Nanos> ours) {
  std::optional<Nanos> period = watchdog_above(environment);
  if (ours) period = std::min(period.value_or(*ours), *ours);
  unset(environment, "WATCHDOG_PID");
  unset(environment, "WATCHDOG_USEC");
  if (period) environment.push_back("WATCHDOG_USEC=" + std::to_string(period->count() / 1000));
}

std::string shown(const std::string& text) { return command_text(std::span(&text, 1)); }

}  // namespace

void TrainerVoice::open(const Settings& settings, Environment& environment) {
  if (settings.ready != ReadyWhen::told && !settings.watchdog) return;
  auto socket = NotifySocket::open();
  if (!socket) return chronicle_.warn("no notify socket: " + socket.error().text());
  socket_ = std::move(*socket);
  const std::string above = value_in(environment, "NOTIFY_SOCKET");
  if (!above.empty()) {
    upwards_ = NotifyUpwards::to(above);
    if (!upwards_) chronicle_.warn("nothing can be passed on to NOTIFY_SOCKET=" + shown(above));
  }
  unset(environment, "NOTIFY_SOCKET");
  environment.push_back("NOTIFY_SOCKET=" + socket_->path());
  tell_watchdog(environment, settings.watchdog);
  if (settings.watchdog) hang_ended_by_ = HangEndedBy::us;
}

std::vector<NotifyMessage> TrainerVoice::hear() {
  std::vector<NotifyMessage> heard;
  if (next_try_ && monotonic_now() >= *next_try_) pass_on("");
  for (int i = 0; i < kAtOnce; ++i) {
    const auto datagram = socket_->receive();
    if (!datagram) break;
    if (datagram->kind == NotifySocket::Datagram::Kind::foreign) {
      warn_once(Trouble::foreign, "from user " + std::to_string(datagram->uid) + " (pid " +
                                      std::to_string(datagram->sender) + ") it is not heard");
      continue;
    }
    if (datagram->kind == NotifySocket::Datagram::Kind::too_long) {
      warn_once(Trouble::too_long, "longer than " + std::to_string(kNotifyLongest) + " bytes");
      continue;
    }
    auto message = parse_notify_message(datagram->text);
    if (!message) {
      warn_once(Trouble::malformed, "with a NUL byte in it");
      continue;
    }
    tell(*message);
    if (upwards_) pass_on(passed_upwards(datagram->text, hang_ended_by_));
    heard.push_back(std::move(*message));
  }
  return heard;
}

void TrainerVoice::tell(const NotifyMessage& message) {
  const auto stopping = message.stopping ? due(Line::stopping) : std::nullopt;
  if (stopping) {
    chronicle_.log(*stopping, "the trainer says that it is stopping");
    chronicle_.journal("stopping", {});
  }
  // Training loops tell each step; what is skipped is not missed, the next one is newer.
  if (message.status && *message.status != status_ && due(Line::status)) {
    status_ = *message.status;
    chronicle_.log(LogLevel::debug, "the trainer's status: " + shown(status_));
    chronicle_.journal("status", JournalRecord().add("text", status_));
  }
}

void TrainerVoice::tell_extended(Nanos more, std::optional<Nanos> kill_in) {
  const auto level = due(Line::extend);
  if (!level) return;
  const std::string then = kill_in ? "SIGKILL in " + spoken(*kill_in) : "no SIGKILL of ours";
  chronicle_.log(*level, "the trainer asks for " + spoken(more) + ": " + then);
  JournalRecord record;
  record.add("asked_ms", more.count() / 1'000'000);
  if (kill_in) record.add("kill_in_ms", kill_in->count() / 1'000'000);
  chronicle_.journal("extend", record);
}

// Not too often; and the first time is news, later ones are for who looks for them.
std::optional<LogLevel> TrainerVoice::due(Line line) {
  auto& told_at = told_at_[static_cast<std::size_t>(line)];
  const Instant now = monotonic_now();
  if (told_at && now - *told_at < kPause) return {};
  const LogLevel level = told_at ? LogLevel::debug : LogLevel::info;
  told_at = now;
  return level;
}

void TrainerVoice::warn_once(Trouble trouble, const std::string& sentence) {
  if (std::exchange(warned_[static_cast<std::size_t>(trouble)], true)) return;
  chronicle_.warn("a message on the notify socket is dropped: " + sentence);
}

void TrainerVoice::pass_on(std::string text) {
  next_try_.reset();
  if (!waiting_.empty()) text = merged_upwards(std::exchange(waiting_, ""), text);
  if (text.empty()) return;
  const auto sent = upwards_->send(text);
  if (sent == NotifyUpwards::Sent::not_now) {
    waiting_ = std::move(text);
    next_try_ = monotonic_now() + kTryAgain;
  } else if (sent == NotifyUpwards::Sent::never) {
    warn_once(Trouble::upwards, std::string("passing it on failed: ") + std::strerror(errno));
  }
}

void TrainerVoice::close() {
  if (!socket_) return;
  hear();
  if (!waiting_.empty()) pass_on("");
  socket_->remove();
  socket_.reset();
  next_try_.reset();
}

}  // namespace pw
