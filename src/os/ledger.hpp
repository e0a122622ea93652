#pragma once
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/gate_clock.hpp"
#include "core/result.hpp"
#include "core/time.hpp"
#include "os/fd.hpp"
#include "os/file_lock.hpp"

namespace pw {

/// Where a start gate keeps its state: a folder with an append-only chain of symbolic links
/// `q.<number>` whose targets are one line of text each. The newest counts; a commit is symlink(2)
/// of the next number, which excludes on every filesystem tested, also where locks silently do not.
/// Storage only: it knows no policy, never sleeps longer than 200 ms (change_control(): 1 s), may
/// hang on a filesystem that does (so os/aside). A record that cannot be read is never "empty".
/// Numbers begin with 1. Not to be used on both sides of a fork: each side opens its own.
class Ledger {
 public:
  /// Makes the folder (0700, with its parents) and what belongs in it. An Error here says that this
  /// can be no gate: `what` is the end of a sentence that begins with the path. Where its `why` is
  /// ENOSPC, EDQUOT, EIO or ESTALE it may be one later.
  static Result<Ledger> open(const std::string& folder);
  enum class Use { look, steer };
  /// Only one that is a gate already. To look makes and changes nothing; who steers needs now() to
  /// be put right, since what it writes moves the clock of all.
  static Result<Ledger> open_existing(const std::string& folder, Use use = Use::look);

  struct Head {
    std::uint64_t number = 0;  ///< 0: nothing has been committed yet
    std::string text;          ///< what was committed, checked; empty if none can be read
    int unreadable = 0;        ///< newer ones than `text`, which could not be read
    Instant seen{};
    Nanos wall{};  ///< since 1970, at `seen`: it goes on while the machine is suspended
  };
  /// The newest record. Never behind what was seen before, but for a folder that was made anew.
  Result<Head> head();

  enum class Outcome {
    done,   ///< it is the newest now, or was for a moment
    lost,   ///< somebody else's is; look again after backoff()
    stale,  ///< we slept and the base may have been pruned, or the folder is another: look again;
            ///< what we put there counts for nobody, or takes a place that nobody uses
  };
  /// Puts `text` (at most kTextMax bytes, printable ASCII, not empty) after `base`. After an Error
  /// it is not in the chain as far as can be known.
  Result<Outcome> commit(const Head& base, std::string_view text);

  /// How long to wait after `lost`: at random, growing with the measured round trip and each loss.
  Nanos backoff();

  FileLock& lock() { return lock_; }

  /// The first line of `ctl`, at most 400 bytes; it may be garbled, or empty after a crash. Made
  /// again with "run" if it is gone.
  Result<std::string> control();
  /// Writes what `change` makes of the first line. Takes lock() for it, so that of two who steer at
  /// the same time none is forgotten (where locks reach), and lets go of it, whoever had it. An
  /// Error of `change` leaves everything as it is.
  using Change = std::function<Result<std::string>(const std::string& text)>;
  Result<void> change_control(const Change& change);

  /// For the other ranks of a step: `<key>.<seconds>` in `go/`, found again by its key (hex
  /// digits). Older ones of the key are removed, of others those more than an hour older.
  Result<void> announce(const std::string& key, std::int64_t seconds, std::string_view text);
  Result<std::optional<std::string>> announced(const std::string& key);

  /// All readable records, oldest first, for `status`.
  struct Entry {
    std::uint64_t number;
    std::string text;
    std::string writer;  ///< host.pid
  };
  Result<std::vector<Entry>> entries();

  /// The wall clock, put right by the filesystem's where that is another one and further away than
  /// 2 s: NFS stamps with the server's clock, which all nodes share.
  WallTime now() const;

  bool reaches_other_nodes() const { return network_; }  ///< NFS and its like, and FUSE
  Nanos round_trip() const { return round_trip_; }       ///< measured; of one request
  std::uint64_t requests() const { return requests_ + lock_.requests(); }  ///< made so far

  static constexpr std::size_t kTextMax = 900;  ///< XFS takes 1023 with writer and checksum

 private:
  enum class Look { once, patiently };
  Ledger() = default;
  Result<void> attach();
  Result<void> write_control(std::string_view text);
  Result<void> prove_links();
  Result<void> stay_attached();
  Result<std::vector<std::string>> names(const char* name);
  Result<std::vector<std::uint64_t>> numbers();
  bool exists(std::uint64_t number);
  std::string target_of(const std::string& name, Look look);
  std::uint64_t gallop();
  Result<std::uint64_t> newest();
  Result<void> read_into(Head& head);
  Result<void> read_ancestor(Head& head);
  Result<Outcome> not_written(const Head& base, const std::string& target, int why);
  bool is_pruned(const Head& base);
  bool is_far_behind(const Head& base);
  void prune();
  void prune_chain(const std::vector<std::uint64_t>& all);
  std::optional<std::int64_t> stamp_of(const std::string& name);
  void note_round_trip(Nanos taken);

  std::string path_;
  std::string writer_;
  Fd folder_;
  FileLock lock_;
  bool network_ = true;
  std::uint64_t known_ = 0;        // this number is there, or was
  std::uint64_t hopeless_ = 0;     // this number was looked at with patience, and cannot be read
  std::optional<Instant> listed_;  // when the folder was last listed
  bool reopened_ = false;          // for a stale handle, and nothing has gone well since
  int losses_ = 0;
  Nanos waited_{};
  Nanos round_trip_{};
  Nanos clock_ahead_{};
  std::uint64_t requests_ = 0;
};

}  // namespace pw
