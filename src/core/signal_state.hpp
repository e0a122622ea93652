#pragma once
#include <vector>

#include "core/signal.hpp"

namespace pw {

/// What one thread does with signals, from /proc/PID/task/TID.
struct ThreadSignals {
  SignalSet blocked;    ///< SigBlk; while it waits, without those that it waits for
  SignalSet waits_for;  ///< the set of the rt_sigtimedwait(2) that it is in; empty: in none
};

/// What one process does with signals, from /proc/PID/status.
struct SignalState {
  SignalSet caught;   ///< SigCgt: it has a handler
  SignalSet ignored;  ///< SigIgn
  std::vector<ThreadSignals> threads;
};

/// What would become of a signal that this process gets.
enum class Handling {
  deadly,   ///< nobody of it takes the signal: its default action, for a notice nearly always death
  ignored,  ///< nothing happens, and nobody is told anything
  blocked,  ///< no thread would die of it: it is blocked, or a thread waits for it
  caught,   ///< a handler runs
};

/// `given` is the mask that we started the trainer with: what it blocks because of us says nothing.
/// Runtimes block everything for moments while they start a thread or a child, so `blocked` counts
/// only when it was seen twice (core/delivery).
Handling handling_of(const SignalState& state, Signal signal, const SignalSet& given);

/// Whether its handlers are those of Go's runtime, which catches nearly every signal and then does
/// nothing with most of them: a handler there says little. It leaves TSTP, TTIN, TTOU and CONT
/// alone (runtime/sigtab_linux_generic.go), which who really asks for every signal does not.
bool has_runtime_handlers(const SignalState& state);

}  // namespace pw
