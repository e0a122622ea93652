#include "os/requeue_keeper.hpp"

#include <sys/stat.h>

#include <cerrno>
#include <vector>

#include "core/number.hpp"
#include "core/text.hpp"
#include "os/claimant.hpp"
#include "os/clock.hpp"
#include "os/os_error.hpp"
#include "os/progress_file.hpp"
#include "os/requeue_history.hpp"

namespace pw {
namespace {

// A message is the order's letter and lines of text; an answer has the same letter, and its first
// line is the trouble.
constexpr std::string_view kLetters = "lcndw";

char letter_of(RequeueKeeper::Order order) { return kLetters[static_cast<std::size_t>(order)]; }

std::string one_line(std::string text) {
  for (char& c : text) c = c == '\n' ? ' ' : c;
  return text;
}

class Keeper {
 public:
  Keeper(const RequeueKeeper::Place& place, Claimant us, int socket)
      : place_(place), us_(std::move(us)), socket_(socket) {}

  void run() {
    while (const auto order = receive_message(socket_)) {
      trouble_.clear();
      letter_ = (*order)[0];
      obey(order->substr(1));
    }
  }

 private:
  void obey(const std::string& text) {
    switch (static_cast<RequeueKeeper::Order>(kLetters.find(letter_))) {
      case RequeueKeeper::Order::look: return look();
      case RequeueKeeper::Order::claim: return claim(text);
      case RequeueKeeper::Order::note: return note(text);
      case RequeueKeeper::Order::done: return finish(&RequeueMarker::done);
      case RequeueKeeper::Order::withdraw: return finish(&RequeueMarker::withdraw);
    }
  }

  void answer(const std::string& lines = "") {
    send_message(socket_, letter_ + one_line(trouble_) + "\n" + lines);
  }

  void fail(const Error& error) { trouble_ += (trouble_.empty() ? "" : "; ") + error.text(); }

  void look() {
    std::optional<RequeueHistory> history;
    auto note = RequeueHistoryNote::open(place_.state, place_.run);
    if (note) {
      history = note->read();
    } else {
      fail(note.error());
    }
    std::optional<Progress> progress;
    if (!place_.progress_file.empty()) {
      const auto read = read_progress(place_.progress_file);
      if (read) progress = *read;
      if (!read) fail(read.error());
    }
    const char* const thrown = kill_switch_is_there() ? "there" : "absent";
    answer((history ? encode(*history) : "-") + "\n" + progress_text(progress) + "\n" + thrown);
  }

  bool kill_switch_is_there() {
    struct stat found {};
    if (place_.kill_switch.empty()) return false;
    if (stat(place_.kill_switch.c_str(), &found) == 0) return true;
    if (errno != ENOENT && errno != ENOTDIR) fail(os_error("look for " + place_.kill_switch));
    return false;
  }

  // Pruned only after the answer, which somebody waits for.
  void claim(const std::string& began) {
    const auto nanos = parse_number(began);
    auto opened = RequeueMarker::open(place_.state, place_.run, us_);
    if (!opened) return refuse(opened.error());
    marker_.emplace(std::move(*opened));
    const auto claimed = marker_->claim(nanos ? std::optional(Nanos(*nanos)) : std::nullopt);
    if (!claimed) return refuse(claimed.error());
    answer(std::to_string(static_cast<int>(claimed->claimed)) + "\n" + claimed->owner);
    marker_->prune();
  }

  void note(const std::string& text) {
    auto opened = RequeueHistoryNote::open(place_.state, place_.run);
    if (!opened) return refuse(opened.error());
    const auto history = decode_requeue_history(text);
    if (!history) return refuse(os_error("note the history " + text, EINVAL));
    if (const auto written = opened->write(*history); !written) return refuse(written.error());
    answer();
    opened->prune();
  }

  void finish(Result<void> (RequeueMarker::*say)()) {
    const auto said =
        marker_ ? ((*marker_).*say)() : Result<void>(os_error("change a marker", ENOENT));
    if (!said) return refuse(said.error());
    answer();
  }

  void refuse(const Error& error) {
    fail(error);
    answer();
  }

  const RequeueKeeper::Place& place_;
  Claimant us_;
  int socket_;
  char letter_ = 0;
  std::string trouble_;
  std::optional<RequeueMarker> marker_;
};

}  // namespace

Result<RequeueKeeper> RequeueKeeper::start(const Place& place) {
  // Before the fork: it is we who requeue.
  const Claimant us = claimant_here(place.host);
  PW_TRY(Aside aside, Aside::start([&](int socket) { Keeper(place, us, socket).run(); },
                                   "fork the keeper of " + place.state));
  return RequeueKeeper(std::move(aside));
}

void RequeueKeeper::order(Order what, const std::string& text) {
  aside_.send(letter_of(what) + text);
}

void RequeueKeeper::look() { order(Order::look); }
void RequeueKeeper::claim(std::optional<Nanos> job_began) {
  order(Order::claim, job_began ? std::to_string(job_began->count()) : "");
}
void RequeueKeeper::note(const RequeueHistory& history) { order(Order::note, encode(history)); }
void RequeueKeeper::done() { order(Order::done); }
void RequeueKeeper::withdraw() { order(Order::withdraw); }

std::optional<RequeueKeeper::Answer> RequeueKeeper::answer(Instant until) {
  const auto message = aside_.receive(until);
  if (!message) return {};
  Answer answer{.to = static_cast<Order>(kLetters.find((*message)[0]))};
  const auto lines = split(std::string_view(*message).substr(1), '\n');
  answer.trouble = lines[0];
  if (answer.to == Order::look && lines.size() == 4) {
    answer.history = decode_requeue_history(lines[1]);
    answer.progress = parse_progress(lines[2]).value_or(std::nullopt);
    answer.kill_switch = lines[3] == "there" ? KillSwitch::there : KillSwitch::absent;
  }
  if (answer.to == Order::claim && lines.size() == 3) {
    answer.claimed = static_cast<RequeueMarker::Claimed>(parse_number(lines[1]).value_or(0));
    answer.owner = lines[2];
  }
  return answer;
}

void RequeueKeeper::close(Instant limit) {
  aside_.say_no_more();
  while (!aside_.over() && monotonic_now() < limit) aside_.receive(limit);
  if (aside_.over()) aside_.reap();
}

}  // namespace pw
