#include "os/told_book.hpp"

#include <algorithm>

#include "core/number.hpp"
#include "core/text.hpp"
#include "os/pid_file_lock.hpp"

namespace pw {
namespace {

constexpr const char* kEnd = "end";
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

// What a note of this boot says, while it counts.
std::optional<Instant> ToldBook::noted(const std::string& name, Instant now) {
  const auto note = folder_.read(name);
  if (!note || !*note) return {};
  const auto words = split(**note, ' ');
  if (words.size() != 2 || words[0] != boot_) return {};
  const auto end = parse_number(words[1]);
  if (!end || now >= Instant(Nanos(*end))) return {};
  return Instant(Nanos(*end));
}

bool ToldBook::knows(const ProcessId& process, Instant now) {
  return noted(name_of(process), now).has_value();
}

Instant ToldBook::earliest(Instant end, Instant now) {
  end = std::min(end, noted(kEnd, now).value_or(end));
  [[maybe_unused]] const auto written = folder_.replace(kEnd, text_of(end));
  return end;
}

bool ToldBook::names_an_end(Instant now) { return noted(kEnd, now).has_value(); }

void ToldBook::forget_end() { [[maybe_unused]] const auto removed = folder_.remove(kEnd); }

std::string ToldBook::text_of(Instant end) const {
  return boot_ + " " + std::to_string(end.time_since_epoch().count());
}

Result<void> ToldBook::write(const ProcessId& process, Instant end) {
  const std::string name = name_of(process);
  const auto written = folder_.replace(name, text_of(end));
  if (written) folder_.prune(name, kKept);
  return written;
}

// A note that stays counts until its end only.
void ToldBook::forget(const ProcessId& process) {
  [[maybe_unused]] const auto removed = folder_.remove(name_of(process));
}

}  // namespace pw
