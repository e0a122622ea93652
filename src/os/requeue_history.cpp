#include "os/requeue_history.hpp"

namespace pw {
namespace {

constexpr Nanos kKeepFor = std::chrono::hours(24 * 30);

}  // namespace

Result<RequeueHistoryNote> RequeueHistoryNote::open(const std::string& state, const RunKey& run) {
  PW_TRY(NoteFolder folder, NoteFolder::open(state, "history"));
  return RequeueHistoryNote(std::move(folder), job_name(run));
}

std::optional<RequeueHistory> RequeueHistoryNote::read() {
  const auto text = folder_.read(name_);
  if (!text || !*text) return {};
  return decode_requeue_history(**text);
}

Result<void> RequeueHistoryNote::write(const RequeueHistory& history) {
  return folder_.replace(name_, encode(history));
}

void RequeueHistoryNote::prune() { folder_.prune(name_, kKeepFor); }

}  // namespace pw
