#pragma once
#include <optional>
#include <string>

#include "core/settings.hpp"
#include "core/stagger.hpp"
#include "slurm/environment.hpp"
#include "verbs/start_gate.hpp"

namespace pw {

/// What start control comes to for one run: first the stagger, then the gate.
struct StartPlan {
  std::optional<Nanos> stagger;  ///< the delay
  std::string stagger_remark;    ///< "--stagger 1m40s, task 17 of 230"
  std::optional<ArrayPlace> place;
  std::string costs;  ///< ", holding 1 GPU", or empty
  std::optional<StartGate::Plan> gate;
  bool asked() const { return stagger || gate; }
};

/// From the settings, the job and its environment; reads nothing unless start control is asked for.
StartPlan plan_start(const Settings& settings, const std::optional<SlurmJob>& job);

/// For --dry-run: when the command would start, as far as that is known without the gate.
std::string dry_run_text(const StartPlan& plan);

}  // namespace pw
