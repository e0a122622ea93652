#pragma once
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "core/gate_control.hpp"
#include "core/gate_record.hpp"

namespace pw {

/// What `gate status` shows of a gate, from its control and the records that are still there.
struct GateSummary {
  struct Entry {
    GateRecord record;
    std::string writer;  ///< host.pid
  };
  struct Holder {
    std::uint64_t ticket;
    std::string owner;                   ///< host.pid; empty: its records are pruned
    bool started;                        ///< else it may start, at its time
    Nanos age;                           ///< since its start; negative: until then
    Nanos left;                          ///< until its lease is over, if it is not renewed
    std::optional<Nanos> estimated_end;  ///< of its start-up, from now
  };
  GateControl control;
  std::optional<Nanos> steered_ago;  ///< when the control's word was said
  std::uint64_t waiting = 0;         ///< tickets not let in, reserved starts to come
  std::optional<Nanos> next_start;   ///< from now, of who comes next; nothing: no record yet
  std::uint64_t started = 0;         ///< starts given so far
  Nanos spacing{0};                  ///< 0: no rate
  int max_starting = 0;
  Nanos start_up{0};  ///< average; 0: not known
  std::vector<Holder> holders;
};

/// `entries`: oldest first.
GateSummary summarize(std::span<const GateSummary::Entry> entries, const GateControl& control,
                      WallTime now);

std::string status_text(const GateSummary& summary);  ///< a table of a few lines
std::string status_json(const GateSummary& summary);  ///< one object on one line (docs/gate.md)

}  // namespace pw
