#include "verbs/run.hpp"

#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <climits>
#include <cstdio>
#include <cstring>

#include "config/environment.hpp"
#include "core/command_text.hpp"
#include "core/pattern.hpp"
#include "core/srun_rule.hpp"
#include "core/text.hpp"
#include "os/clock.hpp"
#include "os/pid_file.hpp"
#include "os/presence.hpp"
#include "os/reaper.hpp"
#include "os/terminal.hpp"
#include "slurm/environment.hpp"
#include "verbs/complain.hpp"
#include "verbs/help.hpp"
#include "verbs/job_paths.hpp"
#include "verbs/launch_failure.hpp"
#include "verbs/registration.hpp"
#include "verbs/settings.hpp"
#include "verbs/supervisor.hpp"

namespace pw {
namespace {

constexpr Nanos kPidFileLimit = Seconds(2);

// The paths among the settings, as sbatch would write them out.
Result<Settings> with_paths(Settings settings, const std::optional<SlurmJob>& job,
                            const std::string& host) {
  const std::pair<const char*, std::string*> paths[] = {
      {"journal", &settings.journal},
      {"notice-file", &settings.notice_file},
      {"done-file", &settings.done_file},
      {"pid-file", &settings.pid_file},
      {"target-pid-file", &settings.target_pid_file},
      {"gate", &settings.gate},
      {"progress-file", &settings.progress_file},
      {"kill-switch", &settings.kill_switch},
      {"run-dir", &settings.run_dir},
      {"state-dir", &settings.state_dir}};
  for (const auto& [name, path] : paths) {
    if (path->empty()) continue;
    auto expanded = expand_pattern(*path, pattern_values(job, host));
    if (!expanded) return Error{std::string(name) + ": " + expanded.error().what, {}};
    *path = std::move(*expanded);
  }
  return settings;
}

// Of a file that cannot be had the trainer is not told: it would find an old notice, or none ever.
void offer_notice_file(Settings& settings, Launch& launch, Chronicle& chronicle) {
  std::string& path = settings.notice_file;
  std::array<char, PATH_MAX> folder{};
  const bool relative = path[0] != '/' && getcwd(folder.data(), folder.size()) != nullptr;
  if (relative) path = std::string(folder.data()) + "/" + path;
  if (const auto refusal = chronicle.notices().open(path)) {
    chronicle.warn("no notice file: " + *refusal);
    return path.clear();
  }
  const std::string variable = std::string(kNoticeFileVariable) + "=";
  std::erase_if(launch.environment,
                [&](const std::string& entry) { return entry.starts_with(variable); });
  launch.environment.push_back(variable + path);
}

Policy policy_for(const Settings& settings, const std::optional<SlurmJob>& job) {
  Policy policy{.notices = settings.notices,
                .signal_map = settings.signal_map,
                .ladder = settings.ladder,
                .schedule = {},
                .margin = settings.margin,
                .stragglers = settings.stragglers,
                .hold = settings.hold,
                .max_grace = settings.max_grace,
                .watchdog = settings.watchdog};
  policy.schedule.deadline_known = settings.lead_known;
  policy.schedule.lead = settings.lead;
  policy.schedule.in_slurm = job.has_value();
  if (job) {
    policy.schedule.job_end = job->end;
    policy.schedule.kill_wait = job->conf.kill_wait.value_or(policy.schedule.kill_wait);
    policy.schedule.grace_time = job->conf.grace_time;
  }
  return policy;
}

// To srun only what it forwards may be a notice; the rest would end its step (core/srun_rule).
void respect_srun(Policy& policy) {
  for (Signal signal = 1; signal <= kRtMax; ++signal) {
    if (way_through_srun(signal) == SrunWay::withhold) policy.withheld.insert(signal);
  }
}

// In a group of its own the trainer has INT and QUIT by default, as a
// scheduler's child expects; in a terminal's group what nohup and `&` ignored stays ignored. An RT
// signal that is no notice stays as we found it: 31 system calls less at every start.
Launch launch_for(const Beginning& beginning, const Settings& settings, ProcessGroup group,
                  std::vector<std::string> command) {
  Launch plan;
  plan.command = std::move(command);
  plan.environment = trainer_environment();
  plan.mask = beginning.signals.mask;
  plan.defaults = {SIGUSR1, SIGUSR2, SIGTERM};
  SignalSet open = plan.defaults;
  open.insert(SIGCHLD);
  for (Signal signal = kRtMin; signal <= kRtMax; ++signal) {
    open.insert(signal);
    if (settings.notices.contains(signal)) plan.defaults.insert(signal);
  }
  if (group == ProcessGroup::own) {
    for (const Signal typed : {SIGINT, SIGQUIT}) {
      open.insert(typed);
      if (beginning.signals.ignored.contains(typed)) plan.defaults.insert(typed);
    }
  }
  for (Signal signal = 1; signal <= kRtMax; ++signal) {
    if (open.contains(signal)) sigdelset(&plan.mask, signal);
  }
  plan.group = group;
  plan.parent_death = settings.if_wrapper_dies;
  plan.close_standard = beginning.closed_fds;
  return plan;
}

int tell_launch_failure(const LaunchFailure& failure, const std::string& command) {
  return fail(failure.error == ENOENT ? kNotFound : kNotExecutable,
              launch_failure_text(failure.error, command));
}

// No process could be made for us to stand beside; the bare command would have run, so it does.
int run_unsupervised(Launch plan, const Beginning& beginning, Chronicle& chronicle,
                     const Error& error) {
  chronicle.log(LogLevel::warning, error.text() + "; the command runs in our place, unsupervised");
  chronicle.close();
  if (beginning.signals.child_ignored) plan.ignores.insert(SIGCHLD);
  return tell_launch_failure({LaunchStage::exec, exec_in_place(plan)}, plan.command[0]);
}

// Who owns the PID file already and is proven alive; nothing may be started then. All other trouble
// with it is told, and the run goes on: the bare command would have run, too.
std::string claim_pid_file(const std::string& path, const std::string& host,
                           std::optional<PidFile>& pid_file, Chronicle& chronicle) {
  auto started = PidFile::start(path, host);
  if (!started) {
    chronicle.warn("no PID file: " + started.error().text());
    return "";
  }
  const std::string owner = started->wait_for_owner(monotonic_now() + kPidFileLimit);
  if (owner.empty()) pid_file.emplace(std::move(*started));
  return owner;
}

int refuse_pid_file(const std::string& path, const std::string& owner, Chronicle& chronicle) {
  Narrator(chronicle).not_started(kOwnFailure);
  chronicle.close();
  return fail(kOwnFailure, path + " belongs to " + owner + ", which is alive; nothing was started");
}

// The wrapper's own number: the notice is its to relay, with the ladder of its own.
void register_run(const Settings& settings, const std::string& host,
                  std::optional<PidFile>& registration, Chronicle& chronicle) {
  take_run_name();
  show_handlers(settings.notices);
  const std::string& run_dir = settings.run_dir;
  const auto path = registration_file(run_dir);
  if (!path) return chronicle.warn("not registered: " + path.error().text());
  const std::string owner = claim_pid_file(*path, host, registration, chronicle);
  if (!owner.empty()) return chronicle.warn("not registered: " + *path + " is " + owner + "'s");
  if (!registration) return;
  registration->write(getpid());
  if (Presence::seen(run_dir)) {
    chronicle.log(LogLevel::info, "registered in " + run_dir);
  } else {
    chronicle.warn("registered in " + run_dir +
                   ", but no preempt-wrap watch serves it now: nobody tells this run of the "
                   "machine's end (--cloud auto asks by itself)");
  }
}

// The same signal ends us, so that a shell's loop sees it; without a core file of ours.
void die_of(Signal signal) {
  const rlimit no_core{0, 0};
  setrlimit(RLIMIT_CORE, &no_core);
  struct sigaction by_default {};
  by_default.sa_handler = SIG_DFL;
  sigaction(signal, &by_default, nullptr);
  sigset_t only;
  sigemptyset(&only);
  sigaddset(&only, signal);
  raise(signal);
  sigprocmask(SIG_UNBLOCK, &only, nullptr);
}

// No destructors: what they would close and free, the kernel does faster.
[[noreturn]] void leave(const ExitStatus& status) {
  if (status.die_of != 0) die_of(status.die_of);
  _exit(status.status);
}

int tell_dry_run(const Settings& settings, const std::optional<SlurmJob>& job) {
  std::fputs(dry_run_text(plan_start(settings, job)).c_str(), stdout);
  return std::fflush(stdout) == 0 ? 0 : kOwnFailure;
}

int give_up(const LaunchFailure& failure, const Launch& launch, const Beginning& beginning,
            Chronicle& chronicle) {
  if (failure.stage == LaunchStage::spawn) {
    return run_unsupervised(launch, beginning, chronicle,
                            {"start a second process", {failure.error, std::generic_category()}});
  }
  Narrator(chronicle).not_started(failure.error == ENOENT ? kNotFound : kNotExecutable);
  chronicle.close();
  return tell_launch_failure(failure, launch.command[0]);
}

int supervise(const Beginning& beginning, EffectiveSettings& effective) {
  const bool terminal = has_controlling_terminal();
  if (terminal) leave_job_control_signals(beginning.signals);
  const auto job = find_slurm_job();
  const bool share = terminal || (job && job->conf.proctrack == Proctrack::pgid);
  const ProcessGroup group = share ? ProcessGroup::shared : ProcessGroup::own;

  Identity identity;
  identity.host = host_name();
  auto expanded = with_paths(effective.merged.settings, job, identity.host);
  if (!expanded) return fail(kOwnFailure, expanded.error().text());
  Settings& settings = *expanded;
  if (job) {
    identity.job = job->id;
    identity.step = job->step;
    identity.rank = job->rank;
    identity.restarts = job->restarts;
  }
  if (settings.dry_run) return tell_dry_run(settings, job);
  Launch launch = launch_for(beginning, settings, group, std::move(effective.line.command));
  const std::string program = launch.command[0];

  Chronicle chronicle(settings.log_level, identity);
  auto signals = SignalFd::open(terminal ? JobControl::terminal : JobControl::ours);
  if (!signals) return run_unsupervised(launch, beginning, chronicle, signals.error());
  const auto foreign = children_before_start();
  become_subreaper();
  if (!settings.journal.empty()) chronicle.open_journal(settings.journal);
  if (!settings.notice_file.empty()) offer_notice_file(settings, launch, chronicle);
  for (const Complaint& warning : effective.merged.warnings) {
    if (identity.rank == 0) chronicle.warn(warning.line());
  }
  std::optional<PidFile> pid_file;
  if (!settings.pid_file.empty()) {
    const std::string owner = claim_pid_file(settings.pid_file, identity.host, pid_file, chronicle);
    if (!owner.empty()) return refuse_pid_file(settings.pid_file, owner, chronicle);
  }
  std::optional<PidFile> registration;
  if (settings.registers) register_run(settings, identity.host, registration, chronicle);
  Supervisor::Plan plan{.policy = policy_for(settings, job),
                        .settings = settings,
                        .launch = launch,
                        .deaf_to = beginning.signals.ignored,
                        .profile = effective.profile,
                        .profile_remark = effective.profile_remark,
                        .terminal = terminal,
                        .job = job,
                        .host = identity.host,
                        .foreign = foreign,
                        .pid_file = pid_file ? &*pid_file : nullptr,
                        .registration = registration ? &*registration : nullptr,
                        .start = plan_start(settings, job)};
  if (base_name(program) == "srun") respect_srun(plan.policy);
  if (group == ProcessGroup::own) {
    plan.deaf_to.erase(SIGINT);
    plan.deaf_to.erase(SIGQUIT);
  }
  Supervisor supervisor(std::move(plan), std::move(*signals), chronicle);
  const auto status = supervisor.run();
  for (auto* file : {&pid_file, &registration}) {
    if (status || !*file) continue;
    (*file)->remove();
    (*file)->close(monotonic_now() + kPidFileLimit);
  }
  if (!status) return give_up(status.error(), launch, beginning, chronicle);
  leave(*status);
}

bool is_bypassed() {
  const std::string word = upper_case(environment_value(kBypass));
  return word == "1" || word == "TRUE" || word == "YES" || word == "ON";
}

bool is_dry(const CommandLine& line) {
  return std::any_of(line.given.begin(), line.given.end(),
                     [](const Given& given) { return given.name == "dry-run"; });
}

int bypass(const Beginning& beginning, const CommandLine& line) {
  Launch plan;
  plan.command = line.command;
  plan.environment = trainer_environment();
  plan.mask = beginning.signals.mask;
  plan.close_standard = beginning.closed_fds;
  if (beginning.signals.child_ignored) plan.ignores.insert(SIGCHLD);
  return tell_launch_failure({LaunchStage::exec, exec_in_place(plan)}, line.command[0]);
}

}  // namespace

int run(const Beginning& beginning, std::span<const std::string> words) {
  if (is_bypassed()) {
    const CommandLine line = parse_command_line(words);
    if (!line.command.empty() && !is_dry(line)) return bypass(beginning, line);
  }
  EffectiveSettings settings = read_settings(words);
  if (settings.line.wanted != Wanted::run && settings.line.errors.empty()) {
    return show(settings.line.wanted);
  }
  auto& errors = settings.merged.errors;
  if (settings.line.command.empty() && !settings.merged.settings.dry_run) {
    errors.push_back({{Layer::command_line, "command line"},
                      "no command to run (preempt-wrap --help shows how)"});
  }
  if (!errors.empty()) {
    complain(errors);
    return kOwnFailure;
  }
  return supervise(beginning, settings);
}

}  // namespace pw
