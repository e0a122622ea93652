#pragma once
#include <map>
#include <sstream>
#include <string>

#include "core/signal_name.hpp"
#include "core/targets.hpp"

namespace pw {

// A process tree written as words: `10:bash 11<10:python+USR1`. After the name: +S has a handler,
// -S ignores it, =S blocks it, ?S waits for it (blocked elsewhere), * Go's runtime; the last two
// speak of the only thread, another one follows after a `/`: `=USR1/?USR1`.
class FakeTree : public TreeView {
 public:
  explicit FakeTree(const std::string& words) {
    std::istringstream in(words);
    for (std::string word; in >> word;) add(word);
  }

  ProcessEntry entry(int pid) const { return nodes_.at(pid).entry; }
  SignalState& state(int pid) { return nodes_.at(pid).state; }
  void set_group(int pid, int group) { nodes_.at(pid).entry.group = group; }
  bool has(int pid) const { return nodes_.contains(pid); }
  void remove(int pid) { nodes_.erase(pid); }
  std::vector<int> pids() const {
    std::vector<int> all;
    for (const auto& [pid, node] : nodes_) all.push_back(pid);
    return all;
  }

  void add(const std::string& word) {
    const auto colon = word.find(':');
    const auto less = word.find('<');
    Node node;
    node.entry.id = {std::stoi(word), 100};
    node.entry.state = 'S';
    node.entry.group = node.entry.id.pid;
    if (less < colon) node.entry.parent = std::stoi(word.substr(less + 1));
    const auto marks = word.find_first_of("+-=?*/", colon);
    // A name may hold a dash: "wandb-core".
    auto end = marks;
    while (end != std::string::npos && word[end] == '-' && std::islower(word[end + 1])) {
      end = word.find_first_of("+-=?*/", end + 1);
    }
    node.entry.name = word.substr(colon + 1, end == std::string::npos ? end : end - colon - 1);
    node.state.threads.emplace_back();
    if (end != std::string::npos) mark(node.state, word.substr(end));
    nodes_[node.entry.id.pid] = node;
  }

  std::vector<ProcessEntry> children(int pid) override {
    std::vector<ProcessEntry> found;
    for (const auto& [_, node] : nodes_) {
      if (node.entry.parent == pid) found.push_back(node.entry);
    }
    return found;
  }
  std::optional<SignalState> signals(const ProcessEntry& process, Signal) override {
    const auto found = nodes_.find(process.id.pid);
    return found == nodes_.end() ? std::nullopt : std::optional(found->second.state);
  }

 private:
  struct Node {
    ProcessEntry entry;
    SignalState state;
  };

  static void mark(SignalState& state, const std::string& marks) {
    for (std::size_t at = 0; at < marks.size();) {
      const auto next = std::min(marks.find_first_of("+-=?*/", at + 1), marks.size());
      const std::string name = marks.substr(at + 1, next - at - 1);
      const Signal signal = parse_signal(name).value_or(0);
      switch (marks[at]) {
        case '+': state.caught.insert(signal); break;
        case '-': state.ignored.insert(signal); break;
        case '=': state.threads.back().blocked.insert(signal); break;
        case '?': state.threads.back().waits_for.insert(signal); break;
        case '*': state.caught = SignalSet::from_bits(0xfffffffd7fc1fefd); break;
        case '/': state.threads.emplace_back(); break;
      }
      at = next;
    }
  }

  std::map<int, Node> nodes_;
};

}  // namespace pw
