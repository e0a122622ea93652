#pragma once
#include <list>
#include <optional>
#include <string>
#include <vector>

#include "os/told_book.hpp"
#include "verbs/chronicle.hpp"
#include "verbs/relay_target.hpp"

namespace pw {

/// One notice on its way to the processes of a node: each is told once, also one that registers
/// later, and followed to its end; then SIGKILL. Called by NodeWatch.
class NodeNotice {
 public:
  struct Plan {
    std::string words;  ///< "ec2 (terminate)"
    std::string key;    ///< what is the same notice
    Signal as = 0;
    std::optional<Instant> end;  ///< of the machine; nothing: nobody need end
    Nanos margin{0};
  };
  /// `book` outlives a crash of ours; null: no memory.
  NodeNotice(Plan plan, ToldBook* book, Chronicle& chronicle)
      : plan_(std::move(plan)), book_(book), chronicle_(chronicle) {}

  const std::string& key() const { return plan_.key; }
  const std::optional<Instant>& end() const { return plan_.end; }
  const std::string& words() const { return plan_.words; }

  /// The machine's end comes nearer than was said.
  void come_nearer(Instant end);

  /// It is not to happen after all: nobody is ended for it, and a later one is a new one.
  void withdraw();

  void tell(PidTarget process, Instant now);
  void refused(int files) { refused_ = files; }
  void advance(Instant now);

  /// Everybody has ended, or been given up.
  bool quiet() const;
  std::optional<Instant> wake() const;
  void add_fds(std::vector<int>& fds) const;

  std::string state() const;  ///< "2 delivered, 0 gone, 1 refused"
  /// The same as a line, once, when it is quiet; what could not be written down, too.
  std::optional<std::string> take_summary();
  std::string take_trouble() { return std::exchange(trouble_, {}); }

 private:
  RelayPlan plan_for(const PidTarget& process, Instant now) const;
  void note(RelayTarget& target);

  struct Trainer {
    RelayTarget target;
    bool noted = false;
  };
  Plan plan_;
  ToldBook* book_;
  Chronicle& chronicle_;
  std::list<Trainer> trainers_;
  int refused_ = 0;
  std::string trouble_;
  std::string summary_;
};

}  // namespace pw
