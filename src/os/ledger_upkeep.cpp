#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "os/careful_open.hpp"
#include "os/clock.hpp"
#include "os/gate_folder.hpp"
#include "os/ledger.hpp"
#include "os/ledger_line.hpp"
#include "os/os_error.hpp"
#include "os/own_folder.hpp"
#include "os/random.hpp"

// The ledger beside its chain: how it is opened, what is removed, how long to wait.
namespace pw {
namespace {

constexpr std::size_t kKeep = 256;
constexpr std::size_t kPruneMost = 256;  // at a time: others wait for our lock meanwhile
constexpr Seconds kKeepFor{180};
constexpr std::string_view kProbe = "probe.";

std::int64_t nanos_of(const timespec& time) {
  return Nanos(Seconds(time.tv_sec) + Nanos(time.tv_nsec)).count();
}

bool has_no_links(int why) { return why == EPERM || why == ENOSYS || why == EOPNOTSUPP; }

}  // namespace

Result<Ledger> Ledger::open(const std::string& folder) {
  Ledger ledger;
  ledger.path_ = folder;
  ledger.writer_ = unique_writer();
  if (const auto attached = ledger.attach(); !attached) return attached.error();
  if (const auto proved = ledger.prove_links(); !proved) return proved.error();
  return ledger;
}

Result<Ledger> Ledger::open_existing(const std::string& folder, Use use) {
  struct stat found {};
  if (stat((folder + "/ctl").c_str(), &found) != 0) {
    if (errno != ENOENT && errno != ENOTDIR) return os_error("cannot be opened");
    return Error{"is no start gate", {}};
  }
  Ledger ledger;
  ledger.path_ = folder;
  ledger.writer_ = unique_writer();
  if (const auto attached = ledger.attach(); !attached) return attached.error();
  if (use == Use::steer) {
    if (const auto proved = ledger.prove_links(); !proved) return proved.error();
  }
  return ledger;
}

WallTime Ledger::now() const { return WallTime(Nanos(nanos_of(wall_now()))) + clock_ahead_; }

Result<void> Ledger::attach() {
  constexpr int kRequests = 4;  // open, stat, ctl, lock; more the first time
  requests_ += kRequests;
  auto folder = open_gate_folder(path_);
  if (!folder) return folder.error();
  folder_ = std::move(*folder);
  lock_ = FileLock::open(folder_.get(), "lock");
  network_ = on_network_filesystem(folder_.get());
  known_ = hopeless_ = 0;
  listed_.reset();
  return {};
}

// Also tells how long a request takes, and what the time is there.
Result<void> Ledger::prove_links() {
  const std::string name = std::string(kProbe) + writer_;
  const Instant before = monotonic_now();
  const std::int64_t wall_before = nanos_of(wall_now());
  ++requests_;
  if (symlinkat("probe", folder_.get(), name.c_str()) != 0) {
    if (has_no_links(errno)) return Error{"is on a filesystem without symbolic links", {}};
    return os_error("cannot be written");
  }
  round_trip_ = monotonic_now() - before;
  const std::int64_t wall_after = nanos_of(wall_now());
  const auto stamp = stamp_of(name);
  ++requests_;
  unlinkat(folder_.get(), name.c_str(), 0);
  if (!stamp) return {};
  constexpr Nanos kSameClock = Seconds(2);  // MooseFS stamps whole seconds
  const Nanos ahead(*stamp - (wall_before + wall_after) / 2);
  if (std::chrono::abs(ahead) > kSameClock) clock_ahead_ = ahead;
  return {};
}

// A deleted folder is made anew, and one that was moved away is not followed.
Result<void> Ledger::stay_attached() {
  const bool look = !network_ || !listed_ || monotonic_now() - *listed_ > Seconds(30);
  if (look && !is_named(folder_.get(), path_)) return attach();
  return {};
}

Result<std::vector<std::string>> Ledger::names(const char* name) {
  requests_ += 2;
  auto found = names_in(folder_.get(), name);
  if (!found) return os_error("list " + path_, found.error().why.value());
  return found;
}

Result<std::vector<std::uint64_t>> Ledger::numbers() {
  PW_TRY(const std::vector<std::string> found, names("."));
  std::vector<std::uint64_t> all;
  for (const std::string& name : found) {
    if (const auto number = entry_number(name)) all.push_back(*number);
  }
  std::sort(all.begin(), all.end());
  return all;
}

Result<std::vector<Ledger::Entry>> Ledger::entries() {
  if (const auto attached = stay_attached(); !attached) return attached.error();
  PW_TRY(const std::vector<std::uint64_t> all, numbers());
  std::vector<Entry> read;
  for (const std::uint64_t number : all) {
    const auto line = decode(target_of(entry_name(number), Look::once));
    if (line) read.push_back({number, line->text, process_of(line->writer)});
  }
  return read;
}

std::optional<std::int64_t> Ledger::stamp_of(const std::string& name) {
  struct stat found {};
  ++requests_;
  if (fstatat(folder_.get(), name.c_str(), &found, AT_SYMLINK_NOFOLLOW) != 0) return {};
  return nanos_of(found.st_mtim);
}

// Trouble here is nobody's: the next one prunes.
void Ledger::prune() {
  const auto found = names(".");
  if (!found) return;
  std::vector<std::uint64_t> all;
  const std::int64_t old = nanos_of(wall_now()) - Nanos(Seconds(3600)).count();
  for (const std::string& name : *found) {
    if (const auto number = entry_number(name)) all.push_back(*number);
    if (!name.starts_with(kProbe)) continue;
    // Left by one that was killed.
    const auto stamp = stamp_of(name);
    if (stamp && *stamp - clock_ahead_.count() < old) unlinkat(folder_.get(), name.c_str(), 0);
  }
  std::sort(all.begin(), all.end());
  prune_chain(all);
}

// Upwards, so that the chain has no hole, and by the filesystem's stamps alone. Two of those that
// stay are asked, since one may be of a node whose clock is ahead.
void Ledger::prune_chain(const std::vector<std::uint64_t>& all) {
  if (all.size() <= kKeep) return;
  const auto kept = all.end() - static_cast<std::ptrdiff_t>(kKeep);
  const auto newest = stamp_of(entry_name(all.back()));
  const auto oldest = stamp_of(entry_name(*kept));
  if (!newest || !oldest) return;
  const std::int64_t limit = std::min(*newest, *oldest) - Nanos(kKeepFor).count();
  const auto is_old = [&](std::uint64_t number) {
    const auto stamp = stamp_of(entry_name(number));
    return !stamp || *stamp < limit;
  };
  const auto end = std::min(std::partition_point(all.begin(), kept, is_old),
                            all.begin() + static_cast<std::ptrdiff_t>(kPruneMost));
  for (auto number = all.begin(); number < end; ++number) {
    ++requests_;
    if (unlinkat(folder_.get(), entry_name(*number).c_str(), 0) != 0 && errno != ENOENT) return;
  }
}

void Ledger::note_round_trip(Nanos taken) { round_trip_ = (3 * round_trip_ + taken) / 4; }

// Decorrelated jitter. The longest wait lets some thousand others have their turn at a server; on
// our own disk they are done in a moment, and a round trip that took long tells of busy processors.
Nanos Ledger::backoff() {
  constexpr Nanos kMostHere = Millis(250);
  const Nanos most =
      network_ ? std::clamp<Nanos>(4096 * round_trip_, kMostHere, Seconds(120)) : kMostHere;
  const Nanos least = std::min(std::max<Nanos>(Millis(5), 4 * round_trip_), most);
  const Nanos span = std::max<Nanos>(3 * std::max(least, waited_) - least, Nanos(1));
  const auto chance = random_bits() % static_cast<std::uint64_t>(span.count());
  waited_ = std::min(least + Nanos(static_cast<std::int64_t>(chance)), most);
  return waited_;
}

}  // namespace pw
