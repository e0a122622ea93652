#pragma once
#include <span>
#include <string>

#include "os/signal_fd.hpp"
#include "os/standard_fds.hpp"

namespace pw {

/// What main did first, before anything could go wrong.
struct Beginning {
  InheritedSignals signals;
  ClosedStandardFds closed_fds;
};

/// The verb `run`: reads the settings, starts the trainer, supervises it, and leaves with
/// its status; returns one only if nothing was started. Where no second process can be made, the
/// command runs in our place.
int run(const Beginning& beginning, std::span<const std::string> words);

/// The verb `config`: prints the effective settings as YAML, each with where it came from.
int config(std::span<const std::string> words);

/// The verb `relay`: signals the processes that PID files name, waits for their end and escalates.
/// Exit status: 0 gone, 1 refused, 124 still there, 125 usage, 137 killed; of several the largest.
int relay(const Beginning& beginning, std::span<const std::string> words);

/// The verb `gate`: looks at a start gate, and steers it. Exit status: 0; 1 there is no such gate,
/// or it cannot be read or written; 125 usage. A signal ends it: its disk may hang.
int gate(const Beginning& beginning, std::span<const std::string> words);

/// The verb `watch`: the node's daemon (verbs/node_watch). Exit status: 0; 125 usage, or no start.
int watch(const Beginning& beginning, std::span<const std::string> words);

/// `gate plan`: what an array will do behind a gate, before it is submitted.
int plan_of_gate(std::span<const std::string> words);

}  // namespace pw
