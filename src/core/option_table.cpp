#include "core/option_table.hpp"

#include <algorithm>
#include <array>

namespace pw {
namespace {

constexpr std::array kOptions = std::to_array<Option>({
    {"notice", 0, "LIST", "USR1,USR2,TERM,INT", Reach::everywhere, true,
     "signals that start an episode; none = a plain relay"},
    {"map-signal", 0, "A:B,C:", "off", Reach::everywhere, false,
     "what the trainer gets for each signal; C: drops it"},
    {"to", 0, "WHO", "handlers", Reach::everywhere, true,
     "who gets the notice: handlers (who can act on it), child, group or tree"},
    {"hold", 0, "D", "20s", Reach::everywhere, false,
     "how long USR1, USR2 and RT notices wait for a handler"},
    {"no-handler", 0, "term|send|skip", "auto", Reach::everywhere, false,
     "if no handler comes: TERM, the notice all the same, or nothing (auto with --notice-file)"},
    {"transparent", 0, "LIST", "off", Reach::everywhere, false,
     "names of more programs that are passed by like a shell: launcher,run.sh"},
    {"grace", 'k', "D|auto", "auto", Reach::everywhere, true,
     "from the relay to SIGKILL; auto: up to the deadline, else 60s"},
    {"ladder", 0, "L", "off", Reach::everywhere, false,
     "steps instead of --grace: relay@60s,TERM@15s,ABRT@3s,KILL"},
    {"lead", 0, "D|auto|none", "auto", Reach::everywhere, true,
     "the scheduler kills D after a notice"},
    {"margin", 0, "D", "2s", Reach::everywhere, false,
     "be done this long before the deadline (at most a quarter of it)"},
    {"notice-after", 0, "D", "off", Reach::everywhere, false,
     "a time limit of our own: give the notice D after the start"},
    {"notice-before-end", 0, "D", "off", Reach::everywhere, false,
     "give the notice D before the Slurm job's end, exactly; --signal may be a minute early"},
    {"notice-as", 0, "SIG|auto", "auto", Reach::everywhere, false,
     "what the trainer gets for a notice that is no signal; auto: USR1"},
    {"cloud", 0, "SRC", "none", Reach::everywhere, true,
     "ask the cloud for notices: auto, ec2 ..."},
    {"max-grace", 0, "D", "10m", Reach::everywhere, false,
     "the most that EXTEND_TIMEOUT_USEC can ask for where no deadline is known"},
    {"stragglers", 0, "D|leave", "5s", Reach::everywhere, false,
     "what the trainer leaves behind: TERM, wait D, KILL"},
    {"if-wrapper-dies", 0, "SIG|none", "TERM", Reach::everywhere, false,
     "what the trainer gets when preempt-wrap itself is killed"},
    {"ready", 0, "notify|D", "off", Reach::everywhere, false,
     "the trainer is through its start-up: when it says so (sd_notify), or D after its start"},
    {"watchdog", 0, "D", "off", Reach::everywhere, false,
     "end a trainer that has said WATCHDOG=1 (sd_notify), but not again for D"},
    {"stagger", 0, "D", "off", Reach::everywhere, false,
     "start within D, each task of an array at its own time; no files"},
    {"index", 0, "N", "off", Reach::everywhere, false,
     "which of the tasks this is, from 0, where no SLURM_ARRAY_TASK_ID says it"},
    {"count", 0, "N", "off", Reach::everywhere, false, "how many tasks there are, with --index"},
    {"gate", 0, "DIR", "off", Reach::files, false,
     "the start gate: a folder that all tasks see, ~/gates/%A"},
    {"start-rate", 0, "R", "off", Reach::everywhere, false,
     "at most so many starts through the gate: 5/s, 200/min"},
    {"max-starting", 0, "N", "off", Reach::everywhere, false,
     "at most N (1 to 40) in start-up at a time, until --ready"},
    {"gate-unit", 0, "task|rank", "task", Reach::everywhere, false,
     "who takes a place: rank 0 for all ranks of a task, or each"},
    {"max-delay", 0, "D", "30m", Reach::everywhere, false,
     "start all the same when the gate could not be used for so long"},
    {"require-gate", 0, "", "off", Reach::everywhere, false,
     "exit 125 where the gate cannot be used"},
    {"stopped-exit", 0, "N", "0", Reach::everywhere, false,
     "the exit status if the gate is stopped before the start"},
    {"dry-run", 0, "", "off", Reach::command_line, false,
     "print when the command would start, and start nothing"},
    {"exit-preempted", 0, "N", "off", Reach::everywhere, true,
     "exit N, not 0, after a notice (--done-file)"},
    {"exit-zero", 0, "done|preempted", "auto", Reach::everywhere, false,
     "what exit status 0 after a notice means; auto: preempted with --exit-preempted"},
    {"requeue", 0, "MODE", "none", Reach::everywhere, true,
     "run a preempted Slurm job again: auto, repair, scontrol, exit, linger"},
    {"max-requeues", 0, "N", "50", Reach::everywhere, false,
     "no more requeues than this in all, or without progress"},
    {"min-runtime", 0, "D", "60s", Reach::everywhere, false,
     "of runs shorter than this only five in a row are requeued"},
    {"progress-file", 0, "P", "off", Reach::files, false,
     "a file that changes, or a number in it that grows, when the work goes on"},
    {"requeue-exit", 0, "N", "off", Reach::everywhere, false,
     "the exit status that slurm.conf's RequeueExit names, for --requeue exit and auto"},
    {"final-exit", 0, "LIST", "off", Reach::everywhere, false,
     "exit statuses of the trainer after which it is never requeued: 93,2"},
    {"kill-switch", 0, "P", "off", Reach::files, false,
     "while this file exists nothing is started, nor requeued"},
    {"wait-ranks", 0, "D", "off", Reach::everywhere, false,
     "a rank that has ended after a notice waits for the others of its step, at most D"},
    {"state-dir", 0, "DIR", "off", Reach::files, false,
     "what a requeue keeps; else ~/.local/state/preempt-wrap, which all nodes must see"},
    {"done-file", 0, "P", "off", Reach::files, false,
     "the work is done when this file exists (%j, %a, ... as in sbatch)"},
    {"on-notice", 0, "CMD", "off", Reach::files, false,
     "run CMD by /bin/sh beside the relay, never before it"},
    {"on-exit", 0, "CMD", "off", Reach::files, false, "run CMD by /bin/sh at the end"},
    {"target-pid-file", 0, "P", "off", Reach::files, false,
     "the notice goes to the process that the trainer wrote into this file"},
    {"register", 0, "", "off", Reach::everywhere, false,
     "let the node's daemon, preempt-wrap watch, find this run in --run-dir"},
    {"run-dir", 0, "DIR", "/run/preempt-wrap", Reach::files, false,
     "where --register writes the PID of preempt-wrap itself"},
    {"service", 0, "", "off", Reach::everywhere, false,
     "we are the main process of a systemd unit of Type=notify"},
    {"pid-file", 0, "P", "off", Reach::files, false,
     "write the command's PID there, for `preempt-wrap relay` and others"},
    {"notice-file", 0, "P", "off", Reach::files, false,
     "write the notice into this file, whose path the trainer finds in PREEMPT_NOTICE_FILE"},
    {"journal", 0, "P", "off", Reach::files, true, "append one JSON line per event to this file"},
    {"log-level", 0, "LEVEL", "info", Reach::everywhere, false,
     "lines on standard error: error, warning, info or debug"},
    {"quiet", 'q', "", "off", Reach::everywhere, true, "only errors and warnings"},
    {"profile", 0, "NAME|none", "auto", Reach::everywhere, false,
     "a launcher's settings; auto: recognised from the command, none: never"},
    {"config", 0, "P", "off", Reach::command_line, true, "read settings from this YAML file"},
    {"help", 'h', "", "off", Reach::command_line, false, "one screen of help"},
    {"help-all", 0, "", "off", Reach::command_line, false, "every option and exit status"},
    {"version", 'V', "", "off", Reach::command_line, false, "print the version"},
});

}  // namespace

std::span<const Option> option_table() { return kOptions; }

const Option* find_option(std::string_view name, std::span<const Option> table) {
  const auto row = std::find_if(table.begin(), table.end(),
                                [&](const Option& option) { return option.name == name; });
  return row == table.end() ? nullptr : &*row;
}

const Option* find_option(char letter, std::span<const Option> table) {
  const auto row = std::find_if(table.begin(), table.end(), [&](const Option& option) {
    return option.letter == letter && letter != 0;
  });
  return row == table.end() ? nullptr : &*row;
}

}  // namespace pw
