#pragma once
#include <random>
#include <string>
#include <vector>

#include "fresh_copy.hpp"

namespace pw::bench {

using Words = std::vector<std::string>;

inline constexpr int kGraceMillis = 500;

/// A way to run a child: the words before it; none of them runs the child bare.
struct Contender {
  std::string name;
  Words plain;     // as a user writes it
  Words relay;     // hands on every signal that it can
  Words escalate;  // SIGKILL kGraceMillis after USR1; empty if it cannot
};

/// All that a measurement needs to know.
struct Field {
  std::vector<Contender> contenders;
  std::string stamp;  // paths of the child programs
  std::string echo_signal;
  std::string binary;  // ours, as it was given
  int effort = 1;      // multiplies the repetitions
  std::mt19937 random{std::random_device{}()};

  const Contender& ours() const;
  /// Places in `contenders`, in a new random order: a drift of the machine hits all alike.
  std::vector<std::size_t> shuffled();
};

inline const std::string kNone = "none";
inline const std::string kReference = "reference";
inline const std::string kOurs = "preempt-wrap";
inline const std::string kCatatonit = "catatonit";
inline const std::string kTini = "tini";
inline const std::string kDumbInit = "dumb-init";
inline const std::string kTimeout = "timeout";
inline const std::string kBash = "bash";

/// The peers that are not installed.
Words missing_peers();
/// `programs` is the folder of the child programs and of the reference relay.
Field make_field(const std::string& binary, const std::string& programs, FreshCopies& copies);

Words operator+(const Words& before, const Words& after);

}  // namespace pw::bench
