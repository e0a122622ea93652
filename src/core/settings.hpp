#pragma once
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/cloud_source.hpp"
#include "core/ladder.hpp"
#include "core/requeue.hpp"
#include "core/signal.hpp"
#include "core/time.hpp"

namespace pw {

/// --to: who gets a notice.
enum class Audience { handlers, child, group, tree };
/// --no-handler: what a branch of the tree gets in which nobody handles the notice.
/// `by_file`: nothing, and of TERM and INT neither; the notice file tells it.
enum class NoHandler { term, send, skip, by_file };
enum class LogLevel { error, warning, info, debug };  ///< lines at or below it are written
enum class ZeroMeans { done, preempted };             ///< --exit-zero
enum class GateUnit { task, rank };                   ///< --gate-unit: who takes a place
enum class ReadyWhen { not_asked, told, later };      ///< --ready: READY=1 came; some time is over

/// The effective settings of one run, in their own types. The initial values are the defaults.
struct Settings {
  SignalSet notices{SIGUSR1, SIGUSR2, SIGTERM, SIGINT};
  SignalMap signal_map;
  Audience to = Audience::handlers;
  Nanos hold = Seconds(20);
  std::optional<NoHandler> no_handler;             ///< nothing: term; with a notice file, by_file
  std::set<std::string, std::less<>> transparent;  ///< names of programs, more than the built-in
  LadderPlan ladder;
  bool lead_known = true;     ///< false: --lead none, no deadline at all
  std::optional<Nanos> lead;  ///< --lead D
  Nanos margin = Seconds(2);
  std::optional<Nanos> notice_after;
  std::optional<Nanos> notice_before_end;
  Signal notice_as = SIGUSR1;  ///< for a notice that is no signal
  CloudSource cloud;
  bool service = false;    ///< the main process of a systemd unit of Type=notify
  bool registers = false;  ///< --register: with the node's daemon, `watch`
  std::string run_dir = "/run/preempt-wrap";
  Nanos max_grace = std::chrono::minutes(10);
  std::optional<Nanos> stragglers = Seconds(5);  ///< nothing: leave them
  Signal if_wrapper_dies = SIGTERM;              ///< 0: nothing
  std::optional<int> exit_preempted;
  std::optional<ZeroMeans> exit_zero;  ///< nothing: preempted if exit_preempted is set, else done
  ReadyWhen ready = ReadyWhen::not_asked;
  Nanos ready_after{0};           ///< with ReadyWhen::later
  std::optional<Nanos> watchdog;  ///< nothing: off
  std::optional<Nanos> stagger;
  std::optional<std::int64_t> index;  ///< of the array, from 0; before Slurm's own
  std::optional<std::int64_t> count;
  std::string gate;
  std::optional<Nanos> start_spacing;  ///< 1 / --start-rate
  int max_starting = 0;                ///< 0: any number
  GateUnit gate_unit = GateUnit::task;
  Nanos max_delay = std::chrono::minutes(30);
  bool require_gate = false;
  int stopped_exit = 0;
  bool dry_run = false;
  RequeueMode requeue = RequeueMode::none;
  std::int64_t max_requeues = 50;
  Nanos min_runtime = Seconds(60);
  std::string progress_file;
  std::optional<int> requeue_exit;
  std::set<int> final_exits;
  std::string kill_switch;
  std::optional<Nanos> wait_ranks;
  std::string state_dir;
  std::string done_file;
  std::string on_notice;
  std::string on_exit;
  std::string pid_file;
  std::string target_pid_file;
  std::string notice_file;
  std::string journal;
  LogLevel log_level = LogLevel::info;
  std::string profile = "auto";  ///< a name, none, or auto: by the command
};

/// Where a value was given, strongest first but for the first two, which are strict: the user sees
/// them. Profiles are weaker than all that was said outright; those of a --config file are strict.
enum class Layer {
  command_line,
  config_file,
  environment,
  user_file,
  site_file,
  config_profile,
  profile
};

/// "command line", "PREEMPT_WRAP_GRACE", "/etc/preempt-wrap/config.yaml:3:8".
struct Origin {
  Layer layer = Layer::command_line;
  std::string place;
  bool strict() const {
    return layer == Layer::command_line || layer == Layer::config_file ||
           layer == Layer::config_profile;
  }
};

/// One value as a layer gave it, not yet understood.
struct Given {
  std::string name;
  std::string text;
  Origin origin;
};

/// One line for the user: `FILE:LINE:COLUMN: text`.
struct Complaint {
  Origin origin;
  std::string text;
  std::string line() const { return origin.place + ": " + text; }
};

/// What the layers come to. `errors` are strict complaints: nothing may be started if there are
/// any. A lenient value that cannot be understood is a warning, and the next layer's counts.
struct Merged {
  Settings settings;
  std::map<std::string, Given, std::less<>> chosen;  ///< by option name; absent: the default
  std::vector<Complaint> errors;
  std::vector<Complaint> warnings;
};

/// Merges the layers (README, "Options"): command line > environment > --config file > user > site
/// > profile.
Merged merge_settings(std::span<const Given> given);

/// The strongest layer's word on an option, or null.
const Given* strongest_given(std::span<const Given> given, std::string_view name);

/// What is wrong with a value; empty if nothing is.
std::string fault_of(const Given& given);

}  // namespace pw
