#include "core/delivery.hpp"

#include <doctest/doctest.h>

#include "fake_tree.hpp"

using namespace pw;
using namespace std::chrono_literals;

namespace {

// A tree that is looked at; each verb answers with what was sent, and `waits` with who is held for.
class Notice {
 public:
  explicit Notice(const std::string& tree, NoHandler no_handler = NoHandler::term)
      : tree_(tree), delivery_(Transparent(), {}, no_handler) {
    delivery_.set_agents(Delivery::Agents::stop);
  }

  Notice& at(Nanos since_start) {
    now_ = kStart + since_start;
    return *this;
  }
  std::string comes(Signal signal) {
    return text(delivery_.begin(tree_, tree_.entry(10), kStart, signal, now_));
  }
  std::string looks() { return text(delivery_.look(tree_, trainer(), orphans(), now_)); }
  std::string ends(Delivery::HoldEnd end = Delivery::HoldEnd::time_is_over) {
    return text(delivery_.end_hold(tree_, trainer(), orphans(), end, now_));
  }
  std::string is_replaced_by(Signal signal) {
    return text(delivery_.replace(tree_, trainer(), orphans(), signal, now_));
  }
  void is_advice() { delivery_.set_agents(Delivery::Agents::let_alone); }
  void told_by_slurm(int pid) { delivery_.told_by_slurm(tree_, tree_.entry(pid)); }
  std::string waits() const { return waits_; }
  FakeTree& tree() { return tree_; }

 private:
  static constexpr Instant kStart{1000h};

  std::optional<ProcessEntry> trainer() const {
    return tree_.has(10) ? std::optional(tree_.entry(10)) : std::nullopt;
  }
  std::vector<ProcessEntry> orphans() { return tree_.children(1); }

  std::string text(const Delivery::Step& step) {
    waits_.clear();
    for (const ProcessEntry& process : step.waiting) {
      waits_ += (waits_.empty() ? "" : " ") + std::to_string(process.id.pid);
    }
    std::string sent;
    for (const Delivery::Send& send : step.sends) {
      sent += (sent.empty() ? "" : ", ") + signal_name(send.signal) + " " +
              std::to_string(send.to.id.pid);
    }
    return sent;
  }

  FakeTree tree_;
  Delivery delivery_;
  Instant now_ = kStart;
  std::string waits_;
};

}  // namespace

TEST_CASE("each rank gets the notice once, when it is able") {
  Notice notice("10:torchrun+TERM 11<10:python 12<10:python+USR1");
  CHECK(notice.at(1s).comes(SIGUSR1) == "USR1 12");
  CHECK(notice.waits() == "11");
  CHECK(notice.at(2s).looks() == "");
  notice.tree().state(11).caught.insert(SIGUSR1);
  CHECK(notice.at(3s).looks() == "USR1 11");
  CHECK(notice.waits() == "");
  CHECK(notice.at(4s).looks() == "");
}

TEST_CASE("who blocks a signal for a moment is not able; who does for long is") {
  Notice notice("10:python=USR1");
  CHECK(notice.at(0s).comes(SIGUSR1) == "");
  CHECK(notice.at(49ms).looks() == "");
  notice.tree().state(10).threads[0].blocked.erase(SIGUSR1);
  CHECK(notice.at(50ms).looks() == "");
  notice.tree().state(10).threads[0].blocked.insert(SIGUSR1);
  CHECK(notice.at(60ms).looks() == "");
  CHECK(notice.at(109ms).looks() == "");
  CHECK(notice.at(110ms).looks() == "USR1 10");
}

TEST_CASE("TERM and INT are never held") {
  struct Row {
    const char* what;
    const char* tree;
    const char* sent;
  };
  const Row rows[] = {
      {"to who handles it", "10:bash 11<10:python+TERM", "TERM 11"},
      {"to the program that handles it", "10:launch+TERM 11<10:python+TERM", "TERM 10"},
      {"to each rank", "10:bash 11<10:python+TERM 12<10:python+TERM 13<10:tee", "TERM 11, TERM 12"},
      {"blocked in one look is enough", "10:python=TERM", "TERM 10"},
      {"to the trainer alone", "10:bash 11<10:python 12<11:python", "TERM 10"},
      {"not to its workers", "10:python 11<10:wandb-core*", "TERM 10"},
  };
  for (const Row& row : rows) {
    CAPTURE(row.what);
    Notice notice(row.tree);
    CHECK(notice.at(1s).comes(SIGTERM) == row.sent);
    CHECK(notice.waits() == "");
  }
}

TEST_CASE("the end of the hold: what --no-handler says") {
  struct Row {
    const char* what;
    NoHandler policy;
    const char* tree;
    const char* sent;
  };
  const Row rows[] = {
      {"TERM to the trainer", NoHandler::term, "10:python 11<10:python", "TERM 10"},
      {"TERM to who handles it", NoHandler::term, "10:bash 11<10:python+TERM", "TERM 11"},
      {"its workers get nothing", NoHandler::term,
       "10:python+TERM 11<10:python+TERM 12<10:python+TERM", "TERM 10"},
      {"a script's own trap", NoHandler::term, "10:bash+USR1 11<10:sleep", "USR1 10"},
      {"the innermost trap", NoHandler::term, "10:bash+USR1 11<10:dash+USR1 12<11:sleep",
       "USR1 11"},
      {"the trap also where nothing else is sent", NoHandler::skip, "10:bash+USR1 11<10:sleep",
       "USR1 10"},
      {"the notice all the same", NoHandler::send, "10:bash 11<10:python", "USR1 11"},
      {"nothing", NoHandler::skip, "10:bash 11<10:python+TERM", ""},
      {"a Go launcher of its own", NoHandler::term, "10:go* 11<10:sleep", "USR1 10"},
  };
  for (const Row& row : rows) {
    CAPTURE(row.what);
    Notice notice(row.tree, row.policy);
    CHECK(notice.at(1s).comes(SIGUSR1) == "");
    CHECK(notice.at(21s).ends() == row.sent);
    CHECK(notice.waits() == "");
  }
}

TEST_CASE("where others were told, a branch without a handler ends nobody") {
  Notice notice("10:bash 11<10:python+USR1 12<10:tee");
  CHECK(notice.at(1s).comes(SIGUSR1) == "USR1 11");
  CHECK(notice.waits() == "12");
  CHECK(notice.at(21s).ends() == "");
}

TEST_CASE("nobody is ended for advice") {
  Notice notice("10:python+TERM");
  notice.at(1s).comes(SIGUSR1);
  CHECK(notice.at(21s).ends(Delivery::HoldEnd::advice_is_over) == "");
}

TEST_CASE("a tree that is older than a minute is through its start-up") {
  struct Row {
    const char* what;
    const char* tree;
    const char* sent;
    const char* waits;
  };
  const Row rows[] = {
      {"TERM at once where that is handled", "10:python+TERM", "TERM 10", ""},
      {"the script's trap at once", "10:bash+USR1 11<10:sleep", "USR1 10", ""},
      {"who handles nothing is held for all the same", "10:python", "", "10"},
      {"who blocks it may wait for it", "10:python+TERM=USR1", "", "10"},
  };
  for (const Row& row : rows) {
    CAPTURE(row.what);
    Notice notice(row.tree);
    CHECK(notice.at(61s).comes(SIGUSR1) == row.sent);
    CHECK(notice.waits() == row.waits);
  }
}

TEST_CASE("an old tree is not ended for advice, either") {
  Notice notice("10:python+TERM");
  notice.is_advice();
  CHECK(notice.at(61s).comes(SIGUSR1) == "");
  CHECK(notice.waits() == "10");
}

TEST_CASE("TERM while USR1 is held goes to those that wait") {
  Notice notice("10:torchrun+TERM 11<10:python+USR1+TERM 12<10:python+TERM");
  CHECK(notice.at(1s).comes(SIGUSR1) == "USR1 11");
  // Not to torchrun: it would pass it on to the one that saves.
  CHECK(notice.at(2s).is_replaced_by(SIGTERM) == "TERM 12");
  Notice shell("10:bash 11<10:python+USR1+TERM 12<10:python+TERM");
  CHECK(shell.at(1s).comes(SIGUSR1) == "USR1 11");
  CHECK(shell.at(2s).is_replaced_by(SIGTERM) == "TERM 12");
}

TEST_CASE("ranks that outlive their launcher are still held for; other orphans are not") {
  Notice notice("10:torchrun 11<10:python 12<10:python 20<1:python+USR1");
  notice.at(1s).comes(SIGUSR1);
  notice.tree().remove(10);
  notice.tree().remove(11);
  notice.tree().remove(12);
  notice.tree().add("11<1:python");
  notice.tree().add("12<1:python+USR1");
  CHECK(notice.at(2s).looks() == "USR1 12");
  CHECK(notice.waits() == "11");
}

TEST_CASE("what Slurm sent itself is not sent again") {
  Notice notice("10:bash 11<10:python+USR1 12<10:python-USR1");
  CHECK(notice.at(1s).comes(SIGUSR1) == "USR1 11");
  notice.told_by_slurm(12);
  notice.tree().state(12).caught.insert(SIGUSR1);
  CHECK(notice.at(2s).looks() == "USR1 12");  // it ignored Slurm's copy
}

TEST_CASE("where the notice file tells it, nobody is ended by a signal that he does not handle") {
  Notice term("10:bash 11<10:python", NoHandler::by_file);
  CHECK(term.comes(SIGTERM) == "");
  Notice launched("10:torchrun+TERM 11<10:python", NoHandler::by_file);
  CHECK(launched.comes(SIGTERM) == "");
  Notice handled("10:bash 11<10:python+TERM", NoHandler::by_file);
  CHECK(handled.comes(SIGTERM) == "TERM 11");
  Notice held("10:python+TERM", NoHandler::by_file);
  CHECK(held.at(1h).comes(SIGUSR1) == "");
  CHECK(held.waits() == "10");
  CHECK(held.ends() == "");
}
