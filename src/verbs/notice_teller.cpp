#include "verbs/notice_teller.hpp"

#include <array>
#include <cstdio>

#include "core/journal_record.hpp"
#include "core/signal_name.hpp"
#include "os/clock.hpp"

namespace pw {
namespace {

// Seconds since 1970, in which Python, C and date(1) tell the time.
std::string unix_time(Instant at) {
  const timespec now = wall_now();
  const Nanos since_1970 = Seconds(now.tv_sec) + Nanos(now.tv_nsec) + (at - monotonic_now());
  const long long millis = std::chrono::duration_cast<Millis>(since_1970).count();
  std::array<char, 32> text{};
  std::snprintf(text.data(), text.size(), "%lld.%03lld", millis / 1000, millis % 1000);
  return text.data();
}

std::string json(const NoticeTeller::News& news, const std::string& time) {
  std::string text = std::string(kNoticeFileBegins) + "1,\"time\":" + time;
  text += ",\"cause\":" + json_string(news.cause);
  if (news.signal != 0) text += ",\"signal\":" + json_string(signal_name(news.signal));
  text += std::string(",\"advice\":") + (news.advice ? "true" : "false");
  if (news.deadline) text += ",\"deadline\":" + unix_time(*news.deadline);
  if (news.sigkill) text += ",\"sigkill\":" + unix_time(*news.sigkill);
  return text + "}\n";
}

}  // namespace

std::optional<std::string> NoticeTeller::open(const std::string& path) {
  auto file = NoticeFile::start(path);
  if (!file) return file.error().text();
  file_.emplace(std::move(*file));
  return file_->refusal();
}

void NoticeTeller::tell(const News& news) {
  if (!file_) return;
  news_ = news;
  time_ = unix_time(monotonic_now());
  text_ = json(news, time_);
}

void NoticeTeller::correct(std::optional<Instant> deadline, std::optional<Instant> sigkill) {
  // Advice is over once the trainer has removed the file: it must not come back.
  if (!news_ || news_->advice) return;
  if (news_->deadline == deadline && news_->sigkill == sigkill) return;
  news_->deadline = deadline;
  news_->sigkill = sigkill;
  text_ = json(*news_, time_);
}

void NoticeTeller::take_back() {
  if (!news_) return;
  news_.reset();
  text_.clear();
  file_->take_back();
}

void NoticeTeller::flush() {
  if (text_.empty()) return;
  file_->write(text_);
  text_.clear();
}

std::optional<std::string> NoticeTeller::trouble() {
  return file_ ? file_->trouble() : std::nullopt;
}

std::optional<std::string> NoticeTeller::close(int millis) {
  return file_ ? file_->close(millis) : std::nullopt;
}

void NoticeTeller::add_trouble_fd(std::vector<int>& fds) const {
  if (file_ && file_->trouble_fd() >= 0) fds.push_back(file_->trouble_fd());
}

void NoticeTeller::add_helper(std::vector<ProcessId>& ids) const {
  if (file_) ids.push_back(file_->id());
}

}  // namespace pw
