#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.hpp"
#include "core/time.hpp"
#include "os/fd.hpp"
#include "os/file_lock.hpp"

namespace pw {

/// Where a start gate keeps its state: a folder with an append-only chain of symbolic links
/// `q.<number>` whose targets are one line of text each. The newest counts; a commit is symlink(2)
/// of the next number, which excludes on every filesystem tested, also where locks silently do not.
/// Storage only: it knows no policy, never sleeps longer than 200 ms, may hang on a filesystem that does (so
/// os/aside). A record that cannot be read is never "empty". Numbers begin with 1.
class Ledger {
 public:
  /// Makes the folder (0700, with its parents) and what belongs in it. An Error here says that this
  /// can be no gate: `what` is the end of a sentence that begins with the path.
  static Result<Ledger> open(const std::string& folder);

  struct Head {
    std::uint64_t number = 0;  ///< 0: nothing has been committed yet
    std::string text;          ///< what was committed, checked
    int unreadable = 0;        ///< newer ones than `text`, which could not be read
    Instant seen{};
  };
  /// The newest record. Never behind what was seen before, but for a folder that was made anew.
  Result<Head> head();

  enum class Outcome {
    done,   ///< it is the newest now, or was for a moment
    lost,   ///< somebody else's is; look again after backoff()
    stale,  ///< the base had been pruned meanwhile, or we slept: taken back; look again
  };
  /// Puts `text` (at most kTextMax bytes, printable ASCII) after `base`.
  Result<Outcome> commit(const Head& base, std::string_view text);

  /// How long to wait after `lost`: at random, growing with the measured round trip and each loss.
  Nanos backoff();

  FileLock& lock() { return lock_; }

  Result<std::string> control();  ///< what `ctl` says; it may be garbled
  Result<void> set_control(std::string_view text);

  /// For the other ranks of a step: `<key>.<seconds>` in `go/`, found again by its key.
  Result<void> announce(const std::string& key, std::int64_t seconds, std::string_view text);
  Result<std::optional<std::string>> announced(const std::string& key);

  /// All readable records, oldest first, for `status`.
  struct Entry {
    std::uint64_t number;
    std::string text;
    std::string writer;  ///< host.pid
  };
  Result<std::vector<Entry>> entries();

  /// What the clock of the filesystem shows more than ours, where it is another and further away
  /// than 2 s: NFS stamps with the server's clock, which all nodes share. Else 0.
  Nanos clock_ahead() const { return clock_ahead_; }

  bool reaches_other_nodes() const { return network_; }  ///< NFS and its like, and FUSE
  Nanos round_trip() const { return round_trip_; }       ///< measured; of one request
  std::uint64_t requests() const { return requests_; }   ///< made so far

  static constexpr std::size_t kTextMax = 900;  ///< XFS takes 1023 with writer and checksum

 private:
  Ledger() = default;
};

}  // namespace pw
