#include "verbs/narrator.hpp"

#include <algorithm>
#include <string_view>

#include "core/duration.hpp"
#include "core/signal_name.hpp"
#include "os/process_table.hpp"

namespace pw {
namespace {

std::string_view word(Recipient::How how) {
  switch (how) {
    case Recipient::How::sent: return "sent";
    case Recipient::How::by_slurm: return "by-slurm";
    case Recipient::How::by_scancel: return "by-scancel";
    case Recipient::How::withheld: return "withheld";
    case Recipient::How::failed: return "failed";
  }
  return "";
}

bool is_notice(const action::Judge& judged) {
  if (judged.source != NoticeSource::signal) return true;
  return judged.verdict != Verdict::passed && judged.verdict != Verdict::kept &&
         judged.verdict != Verdict::typed && judged.verdict != Verdict::ignored;
}

// The sender's name, if it is still there to be asked.
std::string sender_name(const CaughtSignal& caught) {
  if (caught.code == SI_KERNEL) return "the kernel";
  if (caught.sender == 0) return "outside this PID namespace";
  const auto entry = read_process(caught.sender);
  return entry ? entry->name : "pid " + std::to_string(caught.sender);
}

std::string_view code_word(int code) {
  if (code == SI_KERNEL) return "kernel";
  if (code == SI_QUEUE) return "queue";
  if (code == SI_TKILL) return "tkill";
  return code == SI_USER ? "user" : "other";
}

std::string own_notice(NoticeSource source, const std::string& cloud) {
  if (source == NoticeSource::cloud) return "notice from " + cloud;
  const bool end = source == NoticeSource::job_end;
  return end ? "notice: the job's end is near (--notice-before-end)"
             : "notice: its time is over (--notice-after)";
}

std::pair<std::string_view, std::string> told(Overseers::Deed::What what, const std::string& who) {
  switch (what) {
    case Overseers::Deed::What::parked:
      return {"parked", who +
                            " is kept still until its last rank has ended: one has, and it would "
                            "end the others"};
    case Overseers::Deed::What::went_on: return {"went-on", who + " goes on"};
    case Overseers::Deed::What::ended:
      return {"ended", "the ranks of " + who +
                           " have ended; TERM sent to it: no rank is to be "
                           "started anew"};
    case Overseers::Deed::What::no_more_work:
      return {"no-more-work", who + " was told to start no more work"};
  }
  return {};
}

std::string_view word(Delivery::Why why) {
  switch (why) {
    case Delivery::Why::able: return "able";
    case Delivery::Why::own_trap: return "own-trap";
    case Delivery::Why::no_handler: return "no-handler";
    case Delivery::Why::last_resort: return "last-resort";
    case Delivery::Why::agent: return "agent";
  }
  return "";
}

std::string who(const Recipient& recipient) {
  std::string text = std::string(recipient.name) + " (pid " + std::to_string(recipient.pid);
  if (!recipient.behind.empty()) text += ", behind " + std::string(recipient.behind);
  return text + ")";
}

std::string what_was_sent(Signal asked, const Recipient& recipient) {
  const Signal signal = recipient.signal == 0 ? asked : recipient.signal;
  std::string name = signal_name(signal);
  if (signal != asked) name = "nobody handles " + signal_name(asked) + "; " + name;
  switch (recipient.how) {
    case Recipient::How::sent: return name + " sent to " + who(recipient);
    case Recipient::How::by_slurm: return "Slurm itself has sent it to " + who(recipient);
    case Recipient::How::by_scancel:
      return name + " to the step of " + who(recipient) + " by scancel";
    case Recipient::How::withheld:
      return name + " not given to " + who(recipient) + ", which would kill its step";
    case Recipient::How::failed:
      return name + " could not be sent to " + who(recipient) + ": " +
             std::generic_category().message(recipient.error);
  }
  return "";
}

std::string summary(Signal signal, const Recipients& recipients) {
  if (recipients.empty()) return signal_name(signal) + " sent to nobody";
  std::string text = what_was_sent(signal, recipients.front());
  if (recipients.size() > 1) {
    text += " and " + std::to_string(recipients.size() - 1) + " more";
  }
  return text;
}

std::string list(const Recipients& recipients) {
  std::string text;
  for (const Recipient& recipient : recipients) {
    text += (text.empty() ? "" : ", ") + who(recipient);
  }
  return text;
}

std::string held_text(Signal signal, const std::vector<ProcessEntry>& held_for, Nanos limit) {
  std::string text = signal_name(signal) + " held: " + held_for.front().name + " (pid " +
                     std::to_string(held_for.front().id.pid) + ")";
  if (held_for.size() > 1) text += " and " + std::to_string(held_for.size() - 1) + " more";
  return text + (held_for.size() > 1 ? " have" : " has") + " no handler yet; at most " +
         spoken(limit) + " (--hold)";
}

}  // namespace

void Narrator::started(const Start& start) {
  std::string line = "start: " + start.command + " (pid " + std::to_string(start.pid) + ")";
  line += start.budget;
  if (!start.profile.empty()) line += "; " + start.profile_remark;
  chronicle_.log(LogLevel::info, line);
  if (!chronicle_.wants_journal()) return;
  JournalRecord record;
  record.add("command", start.command)
      .add("trainer", start.pid)
      .add("own_group", start.group == ProcessGroup::own)
      .add("budget", start.budget.substr(std::min<std::size_t>(2, start.budget.size())));
  if (!start.profile.empty()) record.add("profile", start.profile);
  chronicle_.journal("start", record);
}

void Narrator::judged(const action::Judge& judged, const CaughtSignal& caught,
                      const Recipients& sent, const std::vector<ProcessEntry>& held_for) {
  const bool notice = is_notice(judged);
  const bool routine = judged.verdict == Verdict::covered || judged.verdict == Verdict::too_late;
  const LogLevel level = notice && !routine ? LogLevel::info : LogLevel::debug;
  if (!chronicle_.wants(level) && !chronicle_.wants_journal()) return;
  const std::string name = signal_name(judged.signal);
  const std::string sender = sender_name(caught);
  std::string sentence = notice ? "notice " + name + " from " + sender : "signal " + name;
  if (judged.source != NoticeSource::signal) sentence = own_notice(judged.source, cloud_);
  if (judged.verdict == Verdict::relayed || judged.verdict == Verdict::advice) {
    sentence += judged.left ? ": " + spoken(*judged.left) + " left; " : "; ";
    if (!sent.empty() || held_for.empty()) sentence += summary(judged.relayed_as, sent);
    if (!held_for.empty()) {
      if (!sent.empty()) sentence += "; ";
      sentence += held_text(judged.relayed_as, held_for, judged.hold.value_or(Nanos(0)));
    }
    if (judged.verdict == Verdict::advice) {
      sentence += " as advice";
      if (judged.source != NoticeSource::cloud) sentence += ", the end is far away";
    }
    // While it is held the grace has not begun.
    const bool begun = held_for.empty();
    if (judged.kill_in && begun) sentence += "; SIGKILL in " + spoken(*judged.kill_in);
  } else if (judged.verdict == Verdict::forestalled) {
    sentence += " before the start: nothing was started";
  } else if (judged.verdict == Verdict::kept) {
    sentence += ": for the trainer, once it runs";
  } else {
    sentence += ": " + std::string(name_of(judged.verdict));
  }
  chronicle_.log(level, sentence);
  journal_signal(judged, caught, sender);
  if (held_for.empty() || !chronicle_.wants_journal()) return;
  std::vector<int> pids;
  for (const ProcessEntry& process : held_for) pids.push_back(process.id.pid);
  JournalRecord record;
  record.add("signal", signal_name(judged.relayed_as)).add("for", std::span<const int>(pids));
  if (judged.hold) record.add("at_most_ms", judged.hold->count() / 1'000'000);
  chronicle_.journal("held", record);
}

void Narrator::delivered(const Recipients& recipients) {
  for (const Recipient& recipient : recipients) {
    std::string sentence = what_was_sent(recipient.signal, recipient);
    if (recipient.why == Delivery::Why::able) {
      sentence += ", able after " + spoken(recipient.held);
    } else {
      sentence += ": nobody took the notice in " + spoken(recipient.held);
    }
    chronicle_.log(LogLevel::info, sentence);
  }
  sent(0, "notice", recipients);
}

void Narrator::agents_stopped(const Recipients& agents) {
  for (const Recipient& agent : agents) {
    chronicle_.log(LogLevel::info,
                   what_was_sent(agent.signal, agent) + ", so that it starts no other run");
  }
  if (!agents.empty()) sent(0, "agent", agents);
}

void Narrator::nobody_told() {
  chronicle_.log(LogLevel::warning, "nobody can take the notice, and nobody was told");
  chronicle_.journal("nobody-told", JournalRecord());
}

void Narrator::told_by_file(const std::string& path) {
  chronicle_.log(LogLevel::info, "told by the notice file " + path);
  chronicle_.journal("notice-file", JournalRecord().add("path", path));
}

void Narrator::journal_signal(const action::Judge& judged, const CaughtSignal& caught,
                              const std::string& sender_name) {
  if (!chronicle_.wants_journal()) return;
  JournalRecord sender;
  sender.add("pid", static_cast<std::int64_t>(caught.sender))
      .add("uid", static_cast<std::int64_t>(caught.uid))
      .add("name", sender_name);
  JournalRecord record;
  record.add("signal", signal_name(judged.signal));
  if (judged.source == NoticeSource::signal) {
    record.add("sender", sender).add("code", code_word(caught.code));
  } else {
    record.add("source", source_word(judged.source));
    if (judged.source == NoticeSource::cloud) record.add("cloud", cloud_);
  }
  record.add("verdict", name_of(judged.verdict));
  if (caught.payload.queued) record.add("value", caught.payload.value);
  if (judged.left) record.add("left_ms", judged.left->count() / 1'000'000);
  if (judged.kill_in) record.add("kill_in_ms", judged.kill_in->count() / 1'000'000);
  const bool typed = judged.verdict == Verdict::typed;
  chronicle_.journal(is_notice(judged) ? "notice" : typed ? "typed" : "pass", record);
}

void Narrator::hung(const action::TellHang& hang, const Recipients& sent) {
  const std::string why = hang.silent_for
                              ? "has not reported for " + spoken(*hang.silent_for) + " (watchdog)"
                              : "says itself that it hangs";
  chronicle_.log(LogLevel::warning, "the trainer " + why + "; " + summary(SIGTERM, sent) +
                                        "; SIGKILL in " + spoken(hang.kill_in));
  JournalRecord record;
  record.add("by", hang.silent_for ? "silence" : "trigger");
  if (hang.silent_for) record.add("silent_ms", hang.silent_for->count() / 1'000'000);
  record.add("kill_in_ms", hang.kill_in.count() / 1'000'000);
  chronicle_.journal("watchdog", record);
}

void Narrator::cancelled(const std::string& reason, const Recipients& sent,
                         std::optional<Nanos> kill_in) {
  std::string sentence = "the gate was cancelled" + (reason.empty() ? "" : ": " + reason);
  JournalRecord record;
  record.add("reason", reason);
  if (!sent.empty()) sentence += "; " + summary(SIGTERM, sent);
  if (kill_in) {
    sentence += "; SIGKILL in " + spoken(*kill_in);
    record.add("kill_in_ms", kill_in->count() / 1'000'000);
  }
  chronicle_.log(LogLevel::info, sentence);
  chronicle_.journal("gate-cancelled", record);
}

void Narrator::sent(Signal signal, const char* why, const Recipients& recipients) {
  if (!chronicle_.wants_journal()) return;
  // With --to handlers a round may be of two signals, and each process has waited its own time.
  const bool each = std::any_of(recipients.begin(), recipients.end(),
                                [](const Recipient& r) { return r.why.has_value(); });
  if (!each && !recipients.empty()) return journal_sent(signal, why, recipients);
  for (const Recipient& recipient : recipients) {
    const Signal its_own = recipient.signal == 0 ? signal : recipient.signal;
    journal_sent(its_own, why, std::span(&recipient, 1));
  }
}

void Narrator::journal_sent(Signal signal, const char* why, std::span<const Recipient> recipients) {
  std::vector<int> pids;
  JournalRecord exceptions;
  bool any = false;
  for (const Recipient& recipient : recipients) {
    if (recipient.how == Recipient::How::sent) {
      pids.push_back(recipient.pid);
    } else {
      any = true;
      exceptions.add(std::to_string(recipient.pid), word(recipient.how));
    }
  }
  JournalRecord record;
  record.add("signal", signal_name(signal)).add("why", why).add("to", std::span<const int>(pids));
  const Recipient& first = recipients.front();
  if (first.why) record.add("chosen", word(*first.why));
  if (first.why) record.add("held_ms", first.held.count() / 1'000'000);
  if (any) record.add("otherwise", exceptions);
  chronicle_.journal("sent", record);
}

void Narrator::climbed(Signal signal, const Recipients& recipients, std::optional<Nanos> left) {
  const std::string what =
      recipients.empty() ? "nobody catches " + signal_name(signal) : summary(signal, recipients);
  chronicle_.log(LogLevel::info, "still running: " + what, left);
  sent(signal, "rung", recipients);
}

void Narrator::overseen(const Overseers::Deeds& deeds) {
  for (const Overseers::Deed& deed : deeds) {
    const std::string who = deed.name + " (pid " + std::to_string(deed.pid) + ")";
    const auto [act, sentence] = told(deed.what, who);
    JournalRecord record;
    record.add("target", deed.pid).add("name", deed.name).add("act", act);
    if (deed.error != 0) record.add("error", deed.error);
    chronicle_.journal("launcher", record);
    if (deed.error == 0) {
      chronicle_.log(LogLevel::info, sentence);
    } else if (deed.error != ESRCH) {
      chronicle_.warn(who + ": " + std::generic_category().message(deed.error));
    }
  }
}

void Narrator::stragglers(const Recipients& recipients, Nanos grace) {
  if (recipients.empty()) return;
  chronicle_.log(LogLevel::warning, "left behind by the trainer: " + list(recipients) +
                                        "; TERM sent, SIGKILL in " + spoken(grace));
  for (const Recipient& recipient : recipients) {
    chronicle_.journal("straggler",
                       JournalRecord().add("target", recipient.pid).add("name", recipient.name));
  }
  sent(SIGTERM, "straggler", recipients);
}

void Narrator::killed(const Recipients& recipients, const Supervision& run,
                      std::optional<Nanos> after) {
  if (recipients.empty()) return;
  std::string why = "TERM was not enough";
  if (run.killed_by_hand()) {
    why = "Ctrl-C was typed again";
  } else if (run.killed_trainer()) {
    why = "the grace is over" + (after ? " after " + spoken(*after) : "");
  }
  chronicle_.log(LogLevel::warning, why + ": SIGKILL sent to " + list(recipients));
  sent(SIGKILL, run.killed_trainer() ? "kill" : "straggler", recipients);
}

}  // namespace pw
