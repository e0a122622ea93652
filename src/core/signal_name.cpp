#include "core/signal_name.hpp"

#include <array>

#include "core/number.hpp"
#include "core/text.hpp"

namespace pw {
namespace {

struct Named {
  std::string_view name;
  Signal signal;
};

// The first name of a number is the one we print; IOT, POLL and CLD are old synonyms.
constexpr std::array kNames = std::to_array<Named>({
    {"HUP", SIGHUP},   {"INT", SIGINT},     {"QUIT", SIGQUIT}, {"ILL", SIGILL},
    {"TRAP", SIGTRAP}, {"ABRT", SIGABRT},   {"IOT", SIGABRT},  {"BUS", SIGBUS},
    {"FPE", SIGFPE},   {"KILL", SIGKILL},   {"USR1", SIGUSR1}, {"SEGV", SIGSEGV},
    {"USR2", SIGUSR2}, {"PIPE", SIGPIPE},   {"ALRM", SIGALRM}, {"TERM", SIGTERM},
    {"STKFLT", 16},    {"CHLD", SIGCHLD},   {"CLD", SIGCHLD},  {"CONT", SIGCONT},
    {"STOP", SIGSTOP}, {"TSTP", SIGTSTP},   {"TTIN", SIGTTIN}, {"TTOU", SIGTTOU},
    {"URG", SIGURG},   {"XCPU", SIGXCPU},   {"XFSZ", SIGXFSZ}, {"VTALRM", SIGVTALRM},
    {"PROF", SIGPROF}, {"WINCH", SIGWINCH}, {"IO", SIGIO},     {"POLL", SIGIO},
    {"PWR", SIGPWR},   {"SYS", SIGSYS},
});

constexpr Signal kLastStandard = 31;

std::optional<Signal> realtime(std::string_view base, std::string_view offset) {
  const auto steps = parse_number(offset.empty() ? "0" : offset.substr(1));
  const bool upward = base == "RTMIN";
  if (!steps || (!offset.empty() && offset[0] != (upward ? '+' : '-'))) return {};
  if (*steps > kRtMax - kRtMin) return {};
  const auto distance = static_cast<Signal>(*steps);
  return upward ? kRtMin + distance : kRtMax - distance;
}

}  // namespace

std::optional<Signal> parse_signal(std::string_view text) {
  if (const auto number = parse_number(text)) {
    const bool usable =
        (*number >= 1 && *number <= kLastStandard) || (*number >= kRtMin && *number <= kRtMax);
    return usable ? std::optional(static_cast<Signal>(*number)) : std::nullopt;
  }
  std::string upper = upper_case(text);
  std::string_view name = upper;
  if (name.starts_with("SIG")) name.remove_prefix(3);
  for (const std::string_view base : {"RTMIN", "RTMAX"}) {
    if (name.starts_with(base)) return realtime(base, name.substr(base.size()));
  }
  for (const Named& named : kNames) {
    if (named.name == name) return named.signal;
  }
  return {};
}

std::string signal_name(Signal signal) {
  for (const Named& named : kNames) {
    if (named.signal == signal) return std::string(named.name);
  }
  if (signal == kRtMin) return "RTMIN";
  if (is_realtime(signal)) return "RTMIN+" + std::to_string(signal - kRtMin);
  return std::to_string(signal);
}

std::vector<std::string> known_signal_names() {
  std::vector<std::string> names;
  for (const Named& named : kNames) names.emplace_back(named.name);
  names.insert(names.end(), {"RTMIN", "RTMAX"});
  return names;
}

}  // namespace pw
