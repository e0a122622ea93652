#include "os/told_book.hpp"

#include "core/number.hpp"
#include "core/text.hpp"
#include "os/pid_file_lock.hpp"

namespace pw {
namespace {

constexpr Nanos kKept = std::chrono::hours(24);

std::string name_of(const ProcessId& process) {
  return std::to_string(process.pid) + "." + std::to_string(process.start);
}

}  // namespace

ToldBook::ToldBook(NoteFolder folder) : folder_(std::move(folder)), boot_(boot_id()) {}

Result<ToldBook> ToldBook::open(const std::string& state_dir) {
  PW_TRY(NoteFolder folder, NoteFolder::open(state_dir, "told"));
  return ToldBook(std::move(folder));
}

bool ToldBook::knows(const ProcessId& process, Instant now) {
  const auto note = folder_.read(name_of(process));
  if (!note || !*note) return false;
  const auto words = split(**note, ' ');
  if (words.size() != 2 || words[0] != boot_) return false;
  const auto end = parse_number(words[1]);
  return end && now < Instant(Nanos(*end));
}

Result<void> ToldBook::write(const ProcessId& process, Instant end) {
  const std::string name = name_of(process);
  const auto written =
      folder_.replace(name, boot_ + " " + std::to_string(end.time_since_epoch().count()));
  if (written) folder_.prune(name, kKept);
  return written;
}

// A note that stays counts until its end only.
void ToldBook::forget(const ProcessId& process) {
  [[maybe_unused]] const auto removed = folder_.remove(name_of(process));
}

}  // namespace pw
