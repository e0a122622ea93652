#include "os/ledger.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <thread>

#include "os/careful_open.hpp"
#include "os/clock.hpp"
#include "os/ledger_line.hpp"
#include "os/os_error.hpp"
#include "os/own_folder.hpp"

namespace pw {
namespace {

constexpr std::uint64_t kPruneEvery = 64;
constexpr std::uint64_t kFarBehind = 128;
constexpr std::size_t kTargetMax = 1023;
constexpr int kLooks = 10;  // GlusterFS shows a fresh link as empty for a moment
constexpr Millis kBetweenLooks{20};
constexpr Seconds kTrustMemory{30};

Nanos wall_nanos() {
  const timespec now = wall_now();
  return Seconds(now.tv_sec) + Nanos(now.tv_nsec);
}

// Suspended machines and stopped virtual ones: the monotonic clock does not see it, the other does.
Nanos passed_since(const Ledger::Head& base) {
  return std::max(monotonic_now() - base.seen, wall_nanos() - base.wall);
}

bool is_printable(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return c >= ' ' && c <= '~'; });
}

}  // namespace

Result<Ledger::Head> Ledger::head() {
  Head head{.seen = monotonic_now(), .wall = wall_nanos()};
  if (const auto attached = stay_attached(); !attached) return attached.error();
  const bool fresh = listed_ && head.seen - *listed_ < kTrustMemory;
  if (!network_ && fresh) head.number = gallop();
  if (head.number == 0) {
    PW_TRY(head.number, newest());
  }
  if (head.number == 0) return head;
  known_ = std::max(known_, head.number);
  if (const auto read = read_into(head); !read) return read.error();
  return head;
}

// On a local disk what is not there is not there. Not so where clients remember: NFS believes for
// a minute that a name is absent because it once was.
std::uint64_t Ledger::gallop() {
  if (known_ == 0) return 0;
  bool trouble = false;
  const auto there = [&](std::uint64_t number) {
    const bool found = exists(number);
    // A disk that fails at every name would lead us on for ever.
    trouble = trouble || (found && errno != 0 && errno != EINVAL);
    return found && !trouble;
  };
  if (!there(known_)) return 0;
  std::uint64_t low = known_;
  std::uint64_t step = 1;
  for (; there(low + step); step *= 2) low += step;
  std::uint64_t high = low + step;
  while (high - low > 1) {
    const std::uint64_t middle = low + (high - low) / 2;
    (there(middle) ? low : high) = middle;
  }
  return trouble ? 0 : low;
}

Result<std::uint64_t> Ledger::newest() {
  auto all = numbers();
  if (all && all->empty() && known_ > 0 && !is_named(folder_.get(), path_)) {
    if (const auto attached = attach(); !attached) return attached.error();
    all = numbers();
  }
  if (!all) return all.error();
  listed_ = monotonic_now();
  const std::uint64_t last = all->empty() ? 0 : all->back();
  // A list may be old. One that was emptied by hand begins anew.
  if (known_ > last && !exists(known_)) known_ = 0;
  return std::max(known_, last);
}

// Only what is there can be trusted; any failure but this one says that there is something.
bool Ledger::exists(std::uint64_t number) {
  std::array<char, 1> first{};
  ++requests_;
  errno = 0;
  return readlinkat(folder_.get(), entry_name(number).c_str(), first.data(), first.size()) >= 0 ||
         errno != ENOENT;
}

// Empty when it cannot be read; errno says why, 0 if it is just empty.
std::string Ledger::target_of(const std::string& name, Look look) {
  std::array<char, kTargetMax + 1> target{};
  const int looks = look == Look::patiently ? kLooks : 1;
  for (int made = 0; made < looks; ++made) {
    if (made > 0) std::this_thread::sleep_for(kBetweenLooks);
    ++requests_;
    errno = 0;
    const ssize_t size = readlinkat(folder_.get(), name.c_str(), target.data(), target.size());
    if (size <= 0) continue;
    std::string text(target.data(), static_cast<std::size_t>(size));
    if (made == looks - 1 || decode(text)) return text;
  }
  return "";
}

Result<void> Ledger::read_into(Head& head) {
  const Look look = head.number == hopeless_ ? Look::once : Look::patiently;
  if (const auto line = decode(target_of(entry_name(head.number), look))) {
    head.text = line->text;
    reopened_ = false;
    return {};
  }
  hopeless_ = head.number;
  return read_ancestor(head);
}

// Never "empty": the newest that can be read counts, and the caller is told how many were later.
Result<void> Ledger::read_ancestor(Head& head) {
  PW_TRY(const std::vector<std::uint64_t> all, numbers());
  int trouble = 0;
  for (auto number = all.rbegin(); number != all.rend(); ++number) {
    if (*number > head.number) continue;
    if (const auto line = decode(target_of(entry_name(*number), Look::once))) {
      head.text = line->text;
      return {};
    }
    // Not a link (EINVAL) is garbled like any other.
    if (errno != 0 && errno != EINVAL) trouble = errno;
    ++head.unreadable;
  }
  if (head.unreadable == 0) {  // emptied by hand since we looked
    head.number = known_ = 0;
    return {};
  }
  if (trouble != 0) return os_error("read " + path_ + "/" + entry_name(head.number), trouble);
  return {};
}

Result<Ledger::Outcome> Ledger::commit(const Head& base, std::string_view text) {
  if (text.empty() || text.size() > kTextMax || !is_printable(text)) {
    return os_error("write a record of " + std::to_string(text.size()) + " bytes", EINVAL);
  }
  const std::string target = encode({std::string(text), writer_});
  const Instant before = monotonic_now();
  ++requests_;
  const int made = symlinkat(target.c_str(), folder_.get(), entry_name(base.number + 1).c_str());
  const int why = made == 0 ? 0 : errno;
  note_round_trip(monotonic_now() - before);
  if (why != 0) {
    PW_TRY(const Outcome outcome, not_written(base, target, why));
    if (outcome != Outcome::done) return outcome;
  }
  reopened_ = false;
  if (is_pruned(base)) {
    // The oldest there is, so the chain gets no hole.
    ++requests_;
    unlinkat(folder_.get(), entry_name(base.number + 1).c_str(), 0);
    listed_.reset();
    return Outcome::stale;
  }
  if (is_far_behind(base)) return Outcome::stale;
  known_ = std::max(known_, base.number + 1);
  losses_ = 0;
  waited_ = Nanos{};
  if ((base.number + 1) % kPruneEvery == 0) prune();
  return Outcome::done;
}

// Done all the same if it is there: NFS sends a request again whose answer was lost, and then says
// that the name exists; and an EIO may come after the deed.
Result<Ledger::Outcome> Ledger::not_written(const Head& base, const std::string& target, int why) {
  const bool gone = why == ESTALE || (why == ENOENT && !is_named(folder_.get(), path_));
  if (gone && !reopened_) {
    if (const auto attached = attach(); !attached) return attached.error();
    reopened_ = true;
    return Outcome::stale;
  }
  const std::string name = entry_name(base.number + 1);
  if (target_of(name, why == EEXIST ? Look::patiently : Look::once) == target) return Outcome::done;
  if (why != EEXIST) return os_error("write " + path_ + "/" + name, why);
  known_ = std::max(known_, base.number + 1);
  ++losses_;
  return Outcome::lost;
}

// Pruning goes upwards: while the base is there, nobody can have removed what came after it.
bool Ledger::is_pruned(const Head& base) {
  constexpr Seconds kTooFastToPrune{5};
  if (network_ && base.number > 0 && passed_since(base) <= kTooFastToPrune) return false;
  if (base.number > 0) return !exists(base.number);
  // There is no base to look at: the second is there if ours was the first.
  const auto all = numbers();
  if (!all) return true;
  return !all->empty() && all->back() > kFarBehind &&
         !std::binary_search(all->begin(), all->end(), 2U);
}

// Where a client remembers what is gone, that the base was seen proves less.
bool Ledger::is_far_behind(const Head& base) {
  if (!network_ || base.number == 0) return false;
  const Nanos passed = passed_since(base);
  if (passed <= Seconds(5)) return false;
  if (passed > Seconds(60)) return true;
  const auto all = numbers();
  return !all || (!all->empty() && all->back() > base.number + kFarBehind);
}

}  // namespace pw
