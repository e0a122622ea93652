#pragma once
#include <optional>
#include <string>

#include "core/loop_guard.hpp"
#include "core/run_key.hpp"
#include "os/note_folder.hpp"

namespace pw {

/// Where a job's history lies: the note `<cluster>.<job>` in `<state>/history`, for
/// core/loop_guard. Written by the one process that requeues the job; one that cannot be read
/// counts as none. What was not written for 30 days goes. os/requeue_keeper calls it, since it
/// hangs where the disk does.
class RequeueHistoryNote {
 public:
  static Result<RequeueHistoryNote> open(const std::string& state, const RunKey& run);

  std::optional<RequeueHistory> read();
  Result<void> write(const RequeueHistory& history);
  void prune();  ///< after write(), bounded

 private:
  RequeueHistoryNote(NoteFolder folder, std::string name)
      : folder_(std::move(folder)), name_(std::move(name)) {}
  NoteFolder folder_;
  std::string name_;
};

}  // namespace pw
