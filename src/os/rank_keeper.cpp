#include "os/rank_keeper.hpp"

#include <poll.h>

#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <utility>
#include <vector>

#include "core/number.hpp"
#include "core/rank_roll.hpp"
#include "core/siblings.hpp"
#include "os/aside.hpp"
#include "os/clock.hpp"
#include "os/process_environment.hpp"
#include "os/process_table.hpp"
#include "os/rank_book.hpp"

namespace pw {
namespace {

constexpr Nanos kFirstPause = Millis(50);
constexpr Nanos kNodePause = Seconds(1);  // at most, between two looks at the process table
constexpr Nanos kBookPauseLeast = Millis(250);
constexpr Nanos kBookPauseMost = Seconds(5);
constexpr std::int64_t kReadsPerSecond = 200;  // of all ranks together, for the file server
constexpr Nanos kTryAgain = Seconds(2);
constexpr int kMessageRanks = 500;

class Keeper {
 public:
  Keeper(const RankKeeping& keeping, int socket)
      : keeping_(keeping), socket_(socket), roll_(keeping.ranks) {
    if (!sees_node()) node_due_ = Instant::max();
    if (keeping_.ranks.all_here() && sees_node()) book_due_ = Instant::max();
    told_.insert(keeping_.ranks.rank);
  }

  void run() {
    do {
      if (monotonic_now() >= node_due_) look_at_node();
      if (monotonic_now() >= book_due_) look_at_book();
      tell();
      if (std::exchange(prune_, false)) RankBook::prune(keeping_.state);
    } while (!is_left_until(std::min(node_due_, book_due_)));
  }

 private:
  bool sees_node() const { return keeping_.slurmstepd > 0 && !keeping_.ranks.here.empty(); }

  // True when the run says that all is over, or nothing more.
  bool is_left_until(Instant until) {
    pollfd polled{.fd = socket_, .events = POLLIN, .revents = 0};
    const auto timeout = timeout_until(until);
    if (ppoll(&polled, 1, &*timeout, nullptr) <= 0) return false;
    const auto message = receive_message(socket_);
    if (!message || !book_) return true;
    if (const auto closed = book_->close(); !closed) trouble(closed.error().text());
    return true;
  }

  void look_at_node() {
    node_due_ = monotonic_now() + node_pause_;
    node_pause_ = std::min<Nanos>(node_pause_ * 3 / 2, kNodePause);
    const auto table = read_process_table();
    if (!table || !table->whole) return;  // who is not seen has not ended
    std::vector<std::optional<int>> living;
    for (const ProcessId& id :
         working_siblings(table->entries, keeping_.slurmstepd, keeping_.wrapper)) {
      living.push_back(rank_of(id));
    }
    roll_.saw_node(living);
  }

  // One that cannot be, or is not told, may be any.
  std::optional<int> rank_of(const ProcessId& id) {
    const auto known = ranks_of_.find({id.pid, id.start});
    if (known != ranks_of_.end()) return known->second;
    const std::vector<int>& here = keeping_.ranks.here;
    const auto told = parse_number(started_with(id.pid, "SLURM_PROCID").value_or(""));
    const auto found = std::find(here.begin(), here.end(), told.value_or(keeping_.ranks.rank));
    const bool sound = found != here.end() && *found != keeping_.ranks.rank;
    return ranks_of_[{id.pid, id.start}] = sound ? std::optional(*found) : std::nullopt;
  }

  void look_at_book() {
    const Nanos pause = Nanos(Seconds(1)) * keeping_.ranks.count / kReadsPerSecond;
    book_due_ = monotonic_now() + std::clamp<Nanos>(pause, kBookPauseLeast, kBookPauseMost);
    if (!book_ && !open_book()) return;
    const auto page = book_->read();
    if (!page) return trouble(page.error().text());
    for (const int rank : page->ended) roll_.ended(rank);
    over_ = over_ || page->over;
    if (!page->over) speak_for_the_silent(page->ended);
  }

  bool open_book() {
    auto book = keeping_.state.empty()
                    ? Result<RankBook>(Error{"no state folder is known", {}})
                    : RankBook::open(keeping_.state, keeping_.step, keeping_.ranks.rank);
    if (book) {
      book_.emplace(std::move(*book));
      prune_ = keeping_.ranks.rank == 0;
    } else {
      trouble("the ranks of other nodes are not seen: " + book.error().text());
      book_due_ = keeping_.state.empty() ? Instant::max() : monotonic_now() + kTryAgain;
    }
    return book_.has_value();
  }

  // Those of our node that ended, and have not said so from one look to the next: killed.
  void speak_for_the_silent(const std::set<int>& said) {
    std::set<int> silent;
    for (const int rank : keeping_.ranks.here) {
      if (roll_.has_ended(rank) && !said.contains(rank)) silent.insert(rank);
    }
    for (const int rank : silent) {
      if (silent_.contains(rank)) book_->write_for(rank);
    }
    silent_ = std::move(silent);
  }

  void tell() {
    std::string news;
    int count = 0;
    const auto send = [&] {
      if (!news.empty()) send_message(socket_, rank_word::kEnded + news);
      news.clear();
      count = 0;
    };
    for (int rank = 0; rank < keeping_.ranks.count; ++rank) {
      if (!roll_.has_ended(rank) || !told_.insert(rank).second) continue;
      news += (news.empty() ? "" : ",") + std::to_string(rank);
      if (++count == kMessageRanks) send();
    }
    send();
    if (over_) send_message(socket_, std::string(1, rank_word::kOver));
    over_ = false;
  }

  void trouble(const std::string& text) {
    if (troubles_.insert(text).second) send_message(socket_, rank_word::kTrouble + text);
  }

  const RankKeeping& keeping_;
  int socket_;
  RankRoll roll_;
  std::optional<RankBook> book_;
  Instant node_due_{};
  Instant book_due_{};
  Nanos node_pause_ = kFirstPause;
  std::map<std::pair<int, std::uint64_t>, std::optional<int>> ranks_of_;
  std::set<int> told_;
  std::set<int> silent_;  // at the last look into the book
  std::set<std::string> troubles_;
  bool over_ = false;
  bool prune_ = false;
};

}  // namespace

void keep_ranks(const RankKeeping& keeping, int socket) { Keeper(keeping, socket).run(); }

}  // namespace pw
