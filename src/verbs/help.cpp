#include "verbs/help.hpp"

#include <cstdio>

#include "core/exit_status.hpp"
#include "core/option_table.hpp"
#include "core/relay_settings.hpp"
#include "core/watch_settings.hpp"

namespace pw {
namespace {

constexpr const char* kUsage = R"(usage: preempt-wrap [run] [OPTIONS] [--] COMMAND [ARG]...
       preempt-wrap config [OPTIONS]     print the effective settings
       preempt-wrap relay --pid-file F   signal the process that F names (relay --help)
       preempt-wrap gate status DIR      a start gate (gate --help)
       preempt-wrap watch                a node's daemon (watch --help)

Supervises COMMAND on a machine that may be taken away: relays the notice, waits
out the grace, ends what is left with SIGKILL, tells the truth in its exit status.

  srun preempt-wrap -- python train.py          in an sbatch file, --signal=USR1@90
  exec preempt-wrap -- srun python train.py     the same, with --signal=B:USR1@90
  preempt-wrap -k 5m -- python train.py         anywhere else: up to 5 minutes to save
)";

constexpr const char* kExit = R"(
exit status: the command's own; 128+n if it died of signal n, or n came before its
start; 125 our own failure or usage error, 126 not executable, 127 not found
)";

std::string row(const Option& option) {
  std::string names = option.letter == 0 ? "      " : std::string("  -") + option.letter + ", ";
  names += "--" + std::string(option.name);
  if (!option.value.empty()) names += " " + std::string(option.value);
  std::string line = names;
  if (line.size() < 32) line.append(32 - line.size(), ' ');
  line += " " + std::string(option.help);
  const bool tell_default = !option.value.empty() && option.default_text != "off";
  if (tell_default) line += " [" + std::string(option.default_text) + "]";
  return line + "\n";
}

std::string rows(bool all) {
  std::string text = "\n";
  for (const Option& option : option_table()) {
    if (all || option.common) text += row(option);
  }
  return text;
}

constexpr const char* kRelay = R"(usage: preempt-wrap relay --pid-file F [OPTIONS]
       preempt-wrap relay --run-dir DIR [OPTIONS]

Signals the one process that a PID file names, waits for its end, and with -k
ends it with SIGKILL. A file that could mean another process is refused, and
nothing is signalled: it must be a regular file, reached by no link that others
can set, of root or the process's own user, with one number, and not older than
the process.

  preempt-wrap relay --pid-file run/t.pid -s USR1 -k 90s    save, or end in 90 s
)";

constexpr const char* kRelayExit = R"(
exit status: 0 it is gone, or was already; 1 refused, nothing was signalled; 124
it is still there; 125 usage error; 137 by SIGKILL; of several the largest
)";

constexpr const char* kWatch = R"(usage: preempt-wrap watch [OPTIONS]

A daemon for a whole node: asks its cloud whether the machine is to be taken away,
and tells all processes whose PID files lie in a folder, also those that come
later. A registered run (preempt-wrap run --register) learns the deadline, too.
TERM ends it without a word to anybody, unless the system is being shut down:
that is a notice. Made for systemd: see systemd/preempt-wrap-watch.service.
)";

constexpr const char* kGate = R"(usage: preempt-wrap gate status [--json] DIR
       preempt-wrap gate pause|resume|stop|cancel DIR [REASON]
       preempt-wrap gate reset DIR
       preempt-wrap gate plan --tasks N [--start-rate R] [--max-starting N --startup D]

Looks at a start gate (run --gate DIR), and steers all who wait in it:
  pause    nobody starts; all keep their places, and resume starts no crowd
  stop     who waits ends without a start (--stopped-exit); who runs finishes
  cancel   who waits ends with 143; who runs is stopped gracefully, within a minute
  reset    forgets all places; who waits queues again
  plan     what an array will do: a curve of the starts, how long, how many requests
)";

}  // namespace

std::string gate_help_text(std::span<const Option> options) {
  std::string text = std::string(kGate) + "\n";
  for (const Option& option : options) text += row(option);
  return text + "\nexit status: 0; 1 no such gate, or it cannot be used; 125 usage error\n";
}

std::string relay_help_text() {
  std::string text = std::string(kRelay) + "\n";
  for (const Option& option : relay_option_table()) text += row(option);
  return text + kRelayExit;
}

std::string watch_help_text() {
  std::string text = std::string(kWatch) + "\n";
  for (const Option& option : watch_option_table()) text += row(option);
  return text + "\nexit status: 0; 125 usage error, or it could not start\n";
}

std::string help_text() {
  return kUsage + rows(false) + kExit + "\nmore: preempt-wrap --help-all, and the README\n";
}

std::string help_all_text() {
  return kUsage + rows(true) +
         "\nDurations: 250ms 30s 1.5s 5m 1h30m; a bare number is seconds. Signals: USR1, SIGUSR1,\n"
         "10, RTMIN+3. Each option is also a YAML key (--config FILE,\n"
         "~/.config/preempt-wrap/config.yaml, /etc/preempt-wrap/config.yaml) and, but for paths\n"
         "and hooks, an environment variable: PREEMPT_WRAP_GRACE=5m. Command line > environment\n"
         "> --config > user > site. PREEMPT_WRAP_BYPASS=1 executes the command at once.\n" +
         kExit;
}

int show(Wanted wanted) {
  const std::string text = wanted == Wanted::help       ? help_text()
                           : wanted == Wanted::help_all ? help_all_text()
                                                        : "preempt-wrap " PW_VERSION "\n";
  std::fputs(text.c_str(), stdout);
  return std::fflush(stdout) == 0 ? 0 : kOwnFailure;
}

}  // namespace pw
