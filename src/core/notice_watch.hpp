#pragma once
#include <optional>
#include <string>
#include <vector>

#include "core/cloud_notice.hpp"
#include "core/time.hpp"

namespace pw {

/// What becomes of a source's answers, one after another: pure. Each event is told once, again only
/// if its end comes nearer, and anew when it had been withdrawn; what is not known never is a
/// notice, never ends anything, and is told once when it begins and once when it is over.
class NoticeWatch {
 public:
  /// `poll`: from question to question; zero where an answer comes only when something changes.
  /// `pause`: the longest between two questions of a source that does not answer.
  NoticeWatch(Nanos poll, Nanos pause) : poll_(poll), pause_(pause) {}

  struct Told {
    CloudNotice notice;
    std::optional<Instant> end;  ///< of the machine; the first sight counts, not a later one
  };
  struct News {
    std::vector<Told> notices;
    std::string trouble;     ///< it begins to fail, and with what
    bool answers = false;    ///< the first answer, or the second in a row after trouble
    bool leaves = false;     ///< it says now that the machine ends
    bool withdrawn = false;  ///< one of the ends that it has named it names no more
    bool known = false;      ///< it was an answer; else `leaves` is not known
  };
  /// The answer to the question of `asked`, heard at `now`.
  News take(const CloudAnswer& answer, Instant asked, Instant now);

  /// When to ask again. Never later than `poll` after the last question, however long it fails.
  Instant next() const { return next_; }

 private:
  bool is_news(const CloudNotice& notice, const std::optional<Instant>& end);
  std::optional<Instant> known_end(const CloudNotice& notice) const;

  struct Known {
    std::string key;
    std::optional<Instant> end;
  };

  Nanos poll_;
  Nanos pause_;
  Nanos backoff_{0};
  Instant next_{};
  std::vector<Known> known_;
  std::optional<bool> answers_;  // nothing: not asked yet
  int in_a_row_ = 0;
};

}  // namespace pw
