#include "verbs/relay_target.hpp"

#include <cerrno>
#include <cstring>

#include "core/duration.hpp"
#include "core/signal_name.hpp"
#include "os/clock.hpp"

namespace pw {
namespace {

// After these a SIGCONT would undo what was asked for, or is not needed.
bool stops_or_continues(Signal signal) {
  constexpr SignalSet kThese{SIGSTOP, SIGTSTP, SIGTTIN, SIGTTOU, SIGCONT, SIGKILL};
  return kThese.contains(signal);
}

}  // namespace

RelayTarget::RelayTarget(PidTarget process, const RelayPlan& plan, Instant begin, Log log)
    : process_(std::move(process)),
      plan_(plan),
      begin_(begin),
      course_(plan, begin),
      log_(std::move(log)),
      told_(plan.already_told) {}

void RelayTarget::say(const std::string& what) {
  log_(process_.name() + " (pid " + std::to_string(id().pid) + "): " + what);
}

void RelayTarget::over(int status, const std::string& what) {
  status_ = status;
  say(what);
}

// A registered run takes it for its deadline.
Payload RelayTarget::payload() const {
  if (plan_.advice) return encode({QueuedNotice::Kind::advice});
  if (!plan_.lead) return {};
  return encode({QueuedNotice::Kind::ends, begin_ + *plan_.lead - monotonic_now()});
}

void RelayTarget::tell(const QueuedNotice& notice) {
  if (!status_) process_.send(plan_.signal, encode(notice));
}

void RelayTarget::send(Signal signal) {
  const int error = process_.send(signal, payload());
  if (error == ESRCH) return;  // the next look sees it
  if (error != 0) {
    return over(kRefused, signal_name(signal) + " cannot be sent: " + std::strerror(error));
  }
  told_ = true;
  // Looked at after the signal: one that stops in between would never take it.
  const bool stopped = !stops_or_continues(signal) && process_.stopped();
  if (stopped) process_.send(SIGCONT);
  const bool word = plan_.to_run && signal == plan_.signal;
  say(word ? "told" + std::string(stopped ? ", and CONT sent" : "")
           : signal_name(signal) + (stopped ? " and CONT sent" : " sent"));
}

// Who does not handle it would die of it in the middle of a save.
void RelayTarget::remind(const std::string& after) {
  const Handling handling = process_.handling(SIGTERM);
  if (handling != Handling::caught && handling != Handling::blocked) return;
  say("still there" + after + ": TERM");
  send(SIGTERM);
}

void RelayTarget::perform(RelayStep step, Instant now) {
  const std::string name = signal_name(plan_.signal);
  const std::string after = " after " + spoken(now - begin_);
  switch (step) {
    case RelayStep::wait:
      if (course_.holding() && !std::exchange(said_held_, true)) {
        say(name + " held: there is no handler for it yet");
      }
      return;
    case RelayStep::send: return send(plan_.signal);
    case RelayStep::send_term:
      say("still no handler for " + name + after + ", so it gets TERM");
      return send(SIGTERM);
    case RelayStep::last_term: return remind(after);
    case RelayStep::skip: return say("still no handler for " + name + after + "; not sent");
    case RelayStep::kill: say("still there" + after + ": SIGKILL"); return send(SIGKILL);
    case RelayStep::gone: return over(kGone, told_ ? "gone" + after : "gone already");
    case RelayStep::killed: return over(kKilled, "gone" + after + ", by SIGKILL");
    case RelayStep::still_there:
      if (plan_.wait == Nanos(0)) return over(kStillThere, "nobody waits for its end");
      return over(kStillThere, "still there" + after);
  }
}

void RelayTarget::advance(Instant now) {
  while (!status_) {
    const Handling handling =
        course_.holding() ? process_.handling(plan_.signal) : Handling::deadly;
    const RelayStep step = course_.step(now, process_.alive(), handling);
    perform(step, now);
    if (step == RelayStep::wait) return;
  }
}

}  // namespace pw
