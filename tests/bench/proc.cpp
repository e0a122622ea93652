#include "proc.hpp"

#include <filesystem>
#include <fstream>
#include <optional>
#include <sstream>
#include <stdexcept>
#include <string>

namespace pw::bench {
namespace {

struct Stat {
  char state;
  pid_t parent;
  long cpu_ticks;
};

std::optional<Stat> read_stat(const std::string& folder) {
  std::ifstream file(folder + "/stat");
  std::string line;
  if (!std::getline(file, line)) return {};
  // The name before it, in brackets, may hold anything.
  std::istringstream fields(line.substr(line.rfind(')') + 1));
  Stat stat{};
  fields >> stat.state >> stat.parent;
  long user = 0;
  long system = 0;
  std::string skipped;
  for (int field = 5; field < 14; ++field) fields >> skipped;
  fields >> user >> system;
  stat.cpu_ticks = user + system;
  return stat;
}

// The sum of the numbers of all lines that begin with one of the names.
long sum_of(const std::string& path, const std::vector<std::string>& names) {
  std::ifstream file(path);
  std::string word;
  long sum = 0;
  for (std::string line; std::getline(file, line);) {
    std::istringstream fields(line);
    long value = 0;
    fields >> word >> value;
    for (const std::string& name : names) sum += word == name + ":" ? value : 0;
  }
  return sum;
}

}  // namespace

ProcessFacts facts_of(pid_t pid) {
  const std::string folder = "/proc/" + std::to_string(pid);
  const auto stat = read_stat(folder);
  if (!stat) throw std::runtime_error("process " + std::to_string(pid) + " is gone");
  const std::string status = folder + "/status";
  return {.threads = sum_of(status, {"Threads"}),
          .switches = sum_of(status, {"voluntary_ctxt_switches", "nonvoluntary_ctxt_switches"}),
          .cpu_ticks = stat->cpu_ticks,
          .rss_kb = sum_of(status, {"VmRSS"}),
          .private_kb = sum_of(folder + "/smaps_rollup", {"Private_Clean", "Private_Dirty"})};
}

std::vector<ChildFacts> children_of(pid_t pid) {
  std::vector<ChildFacts> children;
  for (const auto& entry : std::filesystem::directory_iterator("/proc")) {
    const std::string name = entry.path().filename();
    if (name.find_first_not_of("0123456789") != std::string::npos) continue;
    const auto stat = read_stat(entry.path());
    if (stat && stat->parent == pid) children.push_back({std::stoi(name), stat->state});
  }
  return children;
}

}  // namespace pw::bench
