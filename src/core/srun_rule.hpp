#pragma once
#include "core/signal.hpp"

namespace pw {

/// How a signal may reach the tasks of an srun(1) client.
enum class SrunWay {
  direct,    ///< srun forwards it to its tasks, or it does no harm
  scancel,   ///< sent to srun it would SIGKILL the step: `scancel --signal` does it
  withhold,  ///< there is no way that does not end the step
};

/// Read in srun_job.c of 22.05.8 and 25.11 and observed: TERM, HUP, QUIT or two INTs SIGKILL the
/// whole step at once, USR1 and USR2 are forwarded once; srun dies of what it does not know.
constexpr SrunWay way_through_srun(Signal signal) {
  switch (signal) {
    case SIGUSR1:
    case SIGUSR2:
    case SIGCONT:
    case SIGWINCH:
    case SIGKILL: return SrunWay::direct;
    case SIGTERM: return SrunWay::scancel;
    default: return SrunWay::withhold;
  }
}

}  // namespace pw
