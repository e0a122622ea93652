#include <signal.h>
#include <sys/resource.h>

#include <cstdio>

#include "config/command_line.hpp"
#include "core/exit_status.hpp"
#include "core/watch_settings.hpp"
#include "verbs/complain.hpp"
#include "verbs/help.hpp"
#include "verbs/job_paths.hpp"
#include "verbs/node_watch.hpp"
#include "verbs/run.hpp"
#include "verbs/settings.hpp"

namespace pw {

namespace {

// What ends a daemon that hangs, by hand or by systemd's watchdog, must end this one, too.
void let_ourselves_be_ended() {
  sigset_t ends;
  sigemptyset(&ends);
  sigaddset(&ends, SIGABRT);
  sigaddset(&ends, SIGQUIT);
  sigprocmask(SIG_UNBLOCK, &ends, nullptr);
}

// A descriptor for each process that is told.
void raise_descriptor_limit() {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
}

}  // namespace

int watch(const Beginning&, std::span<const std::string> words) {
  let_ourselves_be_ended();
  raise_descriptor_limit();
  const CommandLine line = parse_command_line(words, watch_option_table());
  if (line.wanted == Wanted::help && line.errors.empty()) {
    std::fputs(watch_help_text().c_str(), stdout);
    return std::fflush(stdout) == 0 ? 0 : kOwnFailure;
  }
  WatchSettings settings = watch_settings(line.given);
  auto& errors = settings.errors;
  errors.insert(errors.begin(), line.errors.begin(), line.errors.end());
  if (!line.command.empty()) {
    errors.push_back({{Layer::command_line, "command line"},
                      "unexpected word " + line.command.front() +
                          " (watch starts no command: preempt-wrap run --register -- " +
                          line.command.front() + " ...)"});
  }
  if (!errors.empty()) {
    complain(errors);
    return kOwnFailure;
  }
  Identity identity;
  identity.host = host_name();
  Chronicle chronicle(settings.log_level, identity);
  auto signals = SignalFd::open(JobControl::ours);
  if (!signals) {
    return fail(kOwnFailure, signals.error().text());
  }
  if (!settings.journal.empty()) chronicle.open_journal(settings.journal);
  return NodeWatch(std::move(settings), std::move(*signals), chronicle).run();
}

}  // namespace pw
