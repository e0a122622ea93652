#pragma once
#include <optional>

#include "core/deadline.hpp"

namespace pw {

/// What is known of the end in an episode: of all the news the deadline that counts, and the
/// instant to be done at.
class KnownEnd {
 public:
  /// Returns whether it changes anything. The margin is a part of what was left when the deadline
  /// was learnt; computed again later it would shrink, and SIGKILL move later.
  bool adopt(const Deadline& news, Nanos margin, Instant now);

  const std::optional<Deadline>& deadline() const { return deadline_; }
  const std::optional<Instant>& done_by() const { return done_by_; }
  friend bool operator==(const KnownEnd&, const KnownEnd&) = default;

 private:
  std::optional<Deadline> deadline_;
  std::optional<Instant> done_by_;  // deadline - margin
};

}  // namespace pw
