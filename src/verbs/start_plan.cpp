#include "verbs/start_plan.hpp"

#include <algorithm>
#include <array>
#include <cstdio>

#include "config/environment.hpp"
#include "core/duration.hpp"
#include "core/number.hpp"
#include "core/text.hpp"
#include "os/random.hpp"

namespace pw {
namespace {

std::optional<ArrayPlace> place_of(const Settings& settings, const std::optional<SlurmJob>& job) {
  if (settings.index && settings.count) {
    return ArrayPlace{*settings.index, *settings.count, *settings.count};
  }
  if (!job) return {};
  return array_place(
      environment_value("SLURM_ARRAY_TASK_ID"), environment_value("SLURM_ARRAY_TASK_MIN"),
      environment_value("SLURM_ARRAY_TASK_MAX"), environment_value("SLURM_ARRAY_TASK_STEP"),
      environment_value("SLURM_ARRAY_TASK_COUNT"));
}

// What is the same for all tasks of an array and all ranks of a task; outside a job, and without a
// place, chance decides.
std::string seed_of(const std::optional<SlurmJob>& job, const std::optional<ArrayPlace>& place) {
  if (job) {
    const std::string array = environment_value("SLURM_ARRAY_JOB_ID");
    return array.empty() ? job->job_id : array;
  }
  return place ? "" : std::to_string(random_bits());
}

std::int64_t gpus() {
  const auto on_node = parse_number(environment_value("SLURM_GPUS_ON_NODE"));
  if (on_node) return *on_node;
  const std::string visible = environment_value("CUDA_VISIBLE_DEVICES");
  if (visible.empty() || visible == "NoDevFiles" || visible[0] == '-') return 0;
  return static_cast<std::int64_t>(split(visible, ',').size());
}

std::string costs_of(std::int64_t count) {
  if (count == 0) return "";
  return ", holding " + std::to_string(count) + (count == 1 ? " GPU" : " GPUs");
}

// Longer is nothing but an overflow: --max-delay shortens it anyway.
Nanos times(Nanos one, std::int64_t count) {
  const Nanos most = Nanos::max() / 2;
  return one > most / count ? most : one * count;
}

// By the rate, or by how many starts fit. --max-delay shortens the whole window: cut off one by one
// all later tasks would start in the same moment.
Nanos fallback_window(const Settings& settings, std::int64_t count) {
  constexpr Nanos kUsualStartUp = Seconds(30);  // with READY=1 nobody knows it before
  Nanos window = times(settings.start_spacing.value_or(Nanos(0)), count);
  if (settings.max_starting > 0) {
    const bool known = settings.ready == ReadyWhen::later;
    const Nanos start_up = known ? settings.ready_after : kUsualStartUp;
    window = std::max(window, times(start_up, count) / settings.max_starting);
  }
  return std::min(window, settings.max_delay);
}

// Under srun one rank passes the gate for all of its task.
void share_among_ranks(GateKeeping& keeping, const SlurmJob& job) {
  const auto ranks = parse_number(environment_value("SLURM_STEP_NUM_TASKS"));
  if (job.step.empty() || !ranks || *ranks < 2) return;
  keeping.ranks = static_cast<int>(std::min<std::int64_t>(*ranks, 1'000'000));
  const std::string step = job.id + "." + job.step + "." + std::to_string(job.restarts);
  keeping.step_key = std::to_string(hash_of(step));
  keeping.follows = job.rank != 0;
}

StartGate::Plan gate_plan(const Settings& settings, const std::optional<SlurmJob>& job,
                          const StartPlan& start, const std::string& seed) {
  StartGate::Plan plan;
  plan.required = settings.require_gate;
  plan.costs = start.costs;
  GateKeeping& keeping = plan.keeping;
  keeping.folder = settings.gate;
  keeping.limits = {settings.start_spacing.value_or(Nanos(0)), settings.max_starting};
  // --ready D says itself when it is over.
  if (settings.ready == ReadyWhen::later) {
    keeping.limits.longest_start_up = std::max(kLongestStartUp, settings.ready_after + kGateLease);
    keeping.limits.first_guess = std::max<Nanos>(settings.ready_after, Seconds(1));
  }
  keeping.max_delay = settings.max_delay;
  keeping.seed = random_bits();
  if (start.place) {
    keeping.count = start.place->tasks;
    const int restarts = job ? job->restarts : 0;
    // Requeued it comes alone.
    if (restarts == 0) {
      keeping.place_share =
          static_cast<double>(start.place->index) / static_cast<double>(start.place->count);
    }
    const Nanos window = fallback_window(settings, start.place->tasks);
    plan.fallback = stagger_delay(window, start.place, seed, restarts);
  }
  if (job && settings.gate_unit == GateUnit::task) share_among_ranks(keeping, *job);
  return plan;
}

}  // namespace

StartPlan plan_start(const Settings& settings, const std::optional<SlurmJob>& job) {
  StartPlan plan;
  if (!settings.stagger && settings.gate.empty()) return plan;
  plan.place = place_of(settings, job);
  plan.costs = costs_of(gpus());
  const std::string seed = seed_of(job, plan.place);
  if (settings.stagger) {
    const int restarts = job ? job->restarts : 0;
    plan.stagger = stagger_delay(*settings.stagger, plan.place, seed, restarts);
    plan.stagger_remark = "--stagger " + duration_text(*settings.stagger);
    if (restarts > 0) {
      plan.stagger_remark += ", restarted alone";
    } else if (plan.place) {
      plan.stagger_remark += ", task " + std::to_string(plan.place->index + 1) + " of " +
                             std::to_string(plan.place->count);
    } else {
      plan.stagger_remark += job ? ", no array: by the job's number" : ", no array: at random";
    }
  }
  if (!settings.gate.empty()) plan.gate = gate_plan(settings, job, plan, seed);
  return plan;
}

std::string dry_run_text(const StartPlan& plan) {
  const Nanos delay = plan.stagger.value_or(Nanos(0));
  std::array<char, 32> seconds{};
  std::snprintf(seconds.data(), seconds.size(), "%.3f",
                std::chrono::duration<double>(delay).count());
  std::string text = std::string("start after ") + seconds.data() + " s";
  if (plan.stagger) text += " (" + plan.stagger_remark + ")";
  if (plan.gate) text += ", then through the gate " + plan.gate->keeping.folder;
  return text + "\n";
}

}  // namespace pw
