#include "core/notice_watch.hpp"

#include <algorithm>

namespace pw {
namespace {

constexpr Nanos kFirstPause = Seconds(1);
// A clock read a moment later, and times of whole seconds, move an end by less than this.
constexpr Nanos kSameEnd = Seconds(2);
// Nobody gives so many; what lies shall not fill our memory.
constexpr std::size_t kKnownMost = 64;

// Whoever answers every other question only has not recovered.
constexpr int kRecovered = 2;

// Not the time: AWS's own mock, and others, name another one at each question.
std::string key_of(const CloudNotice& notice) {
  const bool leaves = notice.weight == CloudNotice::Weight::leave;
  return (leaves ? "leave " : notice.kind + " ") + notice.id;
}

}  // namespace

bool NoticeWatch::is_news(const CloudNotice& notice, const std::optional<Instant>& end) {
  const std::string key = key_of(notice);
  const auto found = std::find_if(known_.begin(), known_.end(),
                                  [&](const Known& known) { return known.key == key; });
  if (found == known_.end()) {
    if (known_.size() >= kKnownMost) known_.erase(known_.begin());
    known_.push_back({key, end});
    return true;
  }
  if (!end || !found->end || *end > *found->end - kSameEnd) return false;
  found->end = end;
  return true;
}

std::optional<Instant> NoticeWatch::known_end(const CloudNotice& notice) const {
  const std::string key = key_of(notice);
  const auto found = std::find_if(known_.begin(), known_.end(),
                                  [&](const Known& known) { return known.key == key; });
  return found == known_.end() ? std::nullopt : found->end;
}

NoticeWatch::News NoticeWatch::take(const CloudAnswer& answer, Instant asked, Instant now) {
  News news;
  if (!answer.known()) {
    in_a_row_ = 0;
    if (answers_ != false) news.trouble = answer.trouble;
    answers_ = false;
    backoff_ = backoff_ == Nanos(0) ? std::min(kFirstPause, pause_) : backoff_ * 2;
    backoff_ = std::min(backoff_, pause_);
    next_ = std::max(now, asked + backoff_);
    // What hangs until its limit has waited long enough, but is not asked without a break.
    next_ = std::max(next_, now + std::min(backoff_, kFirstPause) / 4);
    return news;
  }
  ++in_a_row_;
  news.answers = !answers_ || (!*answers_ && in_a_row_ >= kRecovered);
  if (news.answers) answers_ = true;
  backoff_ = Nanos(0);
  next_ = std::max(now, asked + poll_);
  news.known = true;
  // What it says no more may come again, with another end.
  std::erase_if(known_, [&](const Known& known) {
    const bool gone =
        std::none_of(answer.notices.begin(), answer.notices.end(),
                     [&](const CloudNotice& notice) { return key_of(notice) == known.key; });
    news.withdrawn = news.withdrawn || (gone && known.end);
    return gone;
  });
  for (const CloudNotice& notice : answer.notices) {
    news.leaves = news.leaves || notice.weight == CloudNotice::Weight::leave;
    const auto end = notice.window ? std::optional(now + *notice.window) : std::nullopt;
    const bool fresh = is_news(notice, end);
    // Where one of several is withdrawn, those that stand are said again.
    if (fresh || (news.withdrawn && end)) news.notices.push_back({notice, known_end(notice)});
  }
  return news;
}

}  // namespace pw
