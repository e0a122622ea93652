// libFuzzer: any bytes as a duration, a signal, a PID, a ladder, a pattern, a slurm.conf,
// scontrol's output, a gate's record and ctl, a datagram of sd_notify, what the state folder keeps,
// Slurm's tasks per node, a cloud's documents and times, and as text for the journal.
// What is read must be written back to the same value.
#include <cassert>
#include <cstdint>
#include <string>

#include "cloud/json.hpp"
#include "core/claim.hpp"
#include "core/cloud_message.hpp"
#include "core/cloud_source.hpp"
#include "core/duration.hpp"
#include "core/gate_control.hpp"
#include "core/gate_policy.hpp"
#include "core/journal_record.hpp"
#include "core/ladder.hpp"
#include "core/loop_guard.hpp"
#include "core/notify_message.hpp"
#include "core/pattern.hpp"
#include "core/pid_file.hpp"
#include "core/rank_roll.hpp"
#include "core/run_key.hpp"
#include "core/signal_name.hpp"
#include "core/step_list.hpp"
#include "core/utc_time.hpp"
#include "slurm/slurm_conf.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string text(reinterpret_cast<const char*>(data), size);
  if (const auto duration = pw::parse_duration(text)) {
    assert(*duration >= pw::Nanos(0));
    assert(pw::parse_duration(pw::duration_text(*duration)) == duration);
  }
  if (const auto signal = pw::parse_signal(text)) {
    assert(pw::parse_signal(pw::signal_name(*signal)) == signal);
  }
  if (const auto pid = pw::parse_pid(text)) assert(*pid > 1 && text.size() <= pw::kPidFileMax);
  if (const auto plan = pw::parse_ladder(text)) assert(plan->grace && *plan->grace >= pw::Nanos(0));
  (void)pw::expand_pattern(text, {});
  (void)pw::parse_slurm_conf(text, "main");
  (void)pw::scancel_target(text, {"host", "12", 1});
  const std::string upwards = pw::passed_upwards(text, pw::HangEndedBy::manager);
  assert(pw::passed_upwards(upwards, pw::HangEndedBy::manager) == upwards);
  assert(pw::merged_upwards(upwards, upwards) == upwards);
  if (const auto message = pw::parse_notify_message(text); message && message->extend) {
    assert(*message->extend >= pw::Nanos(0));
  }
  if (auto record = pw::decode_gate_record(text)) {
    assert(pw::encode(*pw::decode_gate_record(pw::encode(*record))) == pw::encode(*record));
    pw::gate_rules::reserve(*record, {.spacing = pw::Seconds(1)}, record->clock);
    pw::gate_rules::join(*record, {.max_starting = 3}, record->clock);
    pw::gate_rules::advance(*record, {.max_starting = 3}, record->clock);
  }
  if (const auto control = pw::parse_gate_control(text)) {
    assert(pw::parse_gate_control(pw::encode(*control)) == control);
    (void)pw::gate_time(*control, pw::WallTime(pw::Seconds(1'800'000'000)));
  }
  if (const auto time = pw::parse_utc_time(text)) assert(*time >= pw::Nanos(0));
  (void)pw::parse_cloud_source(text);
  (void)pw::parse_endpoint(text);
  if (const auto news = pw::parse_cloud_news(text)) {
    assert(pw::encode(*pw::parse_cloud_news(pw::encode(*news))) == pw::encode(*news));
  }
  (void)pw::ec2_action_in(text);
  (void)pw::azure_events_in(text);
  (void)pw::notice_document_in(text);
  if (const auto claim = pw::parse_claim(text)) {
    assert(pw::parse_claim(pw::encode(*claim)) == claim);
  }
  if (const auto history = pw::decode_requeue_history(text)) {
    assert(pw::decode_requeue_history(pw::encode(*history)) == history);
    pw::judge_loop(history, {.restarts = history->restarts}, {.counts_progress = true});
  }
  if (const auto tasks = pw::node_tasks(text, 0)) assert(tasks->here <= tasks->all);
  if (const auto ranks = pw::step_ranks({"1", "4", "0", text, text})) {
    assert(ranks->here.size() <= 4);
    pw::RankRoll(*ranks).saw_node({});
  }
  assert(pw::step_name({text, text, 0}, text).find('/') == std::string::npos);
  const std::string json = pw::json_string(text);
  assert(json.size() >= 2 && json.find('\n') == std::string::npos);
  return 0;
}
