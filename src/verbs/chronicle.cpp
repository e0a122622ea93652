#include "verbs/chronicle.hpp"

#include <unistd.h>

#include <array>
#include <cstdio>
#include <cstdlib>
#include <ctime>

#include "config/environment.hpp"
#include "core/duration.hpp"
#include "os/clock.hpp"

namespace pw {
namespace {

constexpr int kNoticeFileLastMoment = 200;
constexpr int kJournalLastMoment = 1000;

std::string time_of_day() {
  const timespec now = wall_now();
  tm local{};
  localtime_r(&now.tv_sec, &local);
  std::array<char, 16> text{};
  std::strftime(text.data(), text.size(), "%H:%M:%S", &local);
  return text.data();
}

// RFC 3339 with microseconds and offset: 2026-11-24T03:07:41.000001+01:00.
std::string timestamp() {
  const timespec now = wall_now();
  tm local{};
  localtime_r(&now.tv_sec, &local);
  std::array<char, 32> date{};
  std::strftime(date.data(), date.size(), "%Y-%m-%dT%H:%M:%S", &local);
  const long minutes = local.tm_gmtoff / 60;
  std::array<char, 80> text{};
  std::snprintf(text.data(), text.size(), "%s.%06ld%c%02ld:%02ld", date.data(), now.tv_nsec / 1000,
                minutes < 0 ? '-' : '+', std::abs(minutes) / 60, std::abs(minutes) % 60);
  return text.data();
}

std::string_view prefix_of(LogLevel level) {
  if (level == LogLevel::error) return "error: ";
  return level == LogLevel::warning ? "warning: " : "";
}

}  // namespace

Chronicle::Chronicle(LogLevel level, Identity identity)
    : level_(level),
      identity_(std::move(identity)),
      journal_stamps_(LogStream::is_journal(environment_value("JOURNAL_STREAM"))) {}

void Chronicle::open_journal(const std::string& path) {
  auto writer = Writer::to_path(path);
  if (writer) {
    journal_.emplace(std::move(*writer));
  } else {
    log(LogLevel::warning, "no journal: " + writer.error().text());
  }
}

void Chronicle::log(LogLevel level, std::string_view sentence, std::optional<Nanos> left) {
  if (!wants(level)) return;
  std::string line = "preempt-wrap: ";
  if (!journal_stamps_) line += time_of_day() + " ";
  if (identity_.rank > 0) line += "[" + std::to_string(identity_.rank) + "] ";
  if (left) line += spoken(*left) + " left: ";
  line += prefix_of(level);
  line += sentence;
  log_lines_.push_back(std::move(line));
}

void Chronicle::warn(std::string_view sentence) {
  log(LogLevel::warning, sentence);
  journal("warning", JournalRecord().add("text", sentence));
}

void Chronicle::journal(std::string_view event, const JournalRecord& record) {
  if (!journal_) return;
  JournalRecord line;
  line.add("ts", timestamp())
      .add("mono", static_cast<std::int64_t>(monotonic_now().time_since_epoch().count()))
      .add("event", event)
      .add("host", identity_.host)
      .add("pid", static_cast<std::int64_t>(getpid()));
  if (!identity_.job.empty()) {
    line.add("job", identity_.job).add("restarts", identity_.restarts);
    if (!identity_.step.empty()) line.add("step", identity_.step).add("rank", identity_.rank);
  }
  std::string text = line.json();
  const std::string own = record.json();
  if (own.size() > 2) text.replace(text.size() - 1, 1, "," + own.substr(1));
  journal_lines_.push_back(text + "\n");
}

void Chronicle::flush() {
  notices_.flush();
  for (const std::string& line : journal_lines_) {
    if (!journal_->write_line(line)) ++journal_dropped_;
  }
  tell_trouble();
  journal_lines_.clear();
  for (std::string& line : log_lines_) stderr_.write_line(std::move(line));
  log_lines_.clear();
}

void Chronicle::tell_trouble() {
  if (const auto trouble = notices_.trouble()) tell_notice_trouble(*trouble);
  if (!journal_) return;
  if (const auto trouble = journal_->trouble()) {
    log(LogLevel::warning, "the journal is not complete: " + *trouble);
  }
}

void Chronicle::tell_notice_trouble(const std::string& trouble) {
  log(LogLevel::warning, "the trainer was not told by the notice file: " + trouble);
}

void Chronicle::close() {
  flush();
  if (const auto trouble = notices_.close(kNoticeFileLastMoment)) tell_notice_trouble(*trouble);
  if (journal_) {
    journal_->close(kJournalLastMoment);
    tell_trouble();
    if (journal_dropped_ > 0) {
      log(LogLevel::warning, std::to_string(journal_dropped_) + " journal lines were lost");
    }
    journal_.reset();
  }
  flush();
  stderr_.close();
}

void Chronicle::add_trouble_fds(std::vector<int>& fds) const {
  if (journal_ && journal_->trouble_fd() >= 0) fds.push_back(journal_->trouble_fd());
  notices_.add_trouble_fd(fds);
}

std::vector<ProcessId> Chronicle::helpers() const {
  std::vector<ProcessId> ids;
  if (journal_) ids.push_back(journal_->id());
  notices_.add_helper(ids);
  if (const auto helper = stderr_.helper()) ids.push_back(*helper);
  return ids;
}

}  // namespace pw
