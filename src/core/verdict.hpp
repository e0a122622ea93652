#pragma once
#include <string_view>

namespace pw {

/// What became of a signal; every signal that comes gets exactly one verdict.
enum class Verdict {
  relayed,      ///< the notice that began the episode
  advice,       ///< relayed, with the end far away
  covered,      ///< a notice that an earlier one covers: counted, not relayed
  dropped,      ///< --map-signal X:
  forestalled,  ///< a notice before the start: the trainer will not be started
  too_late,     ///< a notice after the trainer's end
  passed,       ///< no notice: to the trainer alone
  kept,         ///< no notice or advice, before the start: for the trainer once it is there
  typed,        ///< the terminal has given it to the trainer
  ignored,      ///< caused by ourselves
};

/// "relayed", "too-late", ...: the words of log and journal (docs/journal.md).
std::string_view name_of(Verdict verdict);

}  // namespace pw
