#include "verbs/cloud_watch.hpp"

#include "os/clock.hpp"

namespace pw {
namespace {

constexpr Nanos kSavedLimit = Seconds(3);

std::string_view weight_word(CloudNotice::Weight weight) {
  switch (weight) {
    case CloudNotice::Weight::advice: return "advice";
    case CloudNotice::Weight::save: return "save";
    case CloudNotice::Weight::leave: return "leave";
  }
  return "";
}

}  // namespace

void CloudWatch::open() {
  source_ = resolved(std::move(source_));
  auto watcher = CloudWatcher::start(source_);
  if (!watcher) {
    return chronicle_.warn("no cloud is asked for notices: " + watcher.error().text());
  }
  watcher_ = std::move(*watcher);
}

std::vector<CloudWatch::Notice> CloudWatch::hear() {
  std::vector<Notice> notices;
  if (!watcher_) return notices;
  for (const NoticeWatch::News& news : watcher_->hear()) {
    take(news);
    for (const NoticeWatch::Told& told : news.notices) {
      if (auto notice = judged(told)) notices.push_back(std::move(*notice));
    }
  }
  return notices;
}

void CloudWatch::take(const NoticeWatch::News& news) {
  if (!news.trouble.empty()) {
    answers_ = false;
    failed_ = true;
    chronicle_.warn(cloud() + ": " + news.trouble +
                    "; it is asked again, nothing ends because of it");
  }
  if (news.answers) {
    answers_ = true;
    chronicle_.log(failed_ ? LogLevel::info : LogLevel::debug,
                   cloud() + (failed_ ? " answers again" : " answers"));
    failed_ = false;
  }
  if (news.withdrawn) {
    chronicle_.log(LogLevel::info, cloud() + " has withdrawn its notice; what it began goes on");
    chronicle_.journal("cloud-withdrawn", JournalRecord().add("cloud", cloud()));
  }
}

std::optional<CloudWatch::Notice> CloudWatch::judged(const NoticeWatch::Told& told) {
  const CloudNotice& notice = told.notice;
  JournalRecord record;
  record.add("cloud", cloud()).add("kind", notice.kind).add("weight", weight_word(notice.weight));
  if (!notice.id.empty()) record.add("id", notice.id);
  if (!notice.remark.empty()) record.add("remark", notice.remark);
  const Instant now = monotonic_now();
  if (told.end) record.add("left_ms", (*told.end - now).count() / 1'000'000);
  chronicle_.journal("cloud", record);
  if (!notice.remark.empty()) {
    chronicle_.warn(cloud() + " announces " + notice.kind + ", but " + notice.remark +
                    "; the usual time of this cloud counts, from now");
  }
  const bool told_only = notice.weight == CloudNotice::Weight::advice && !source_.relay_advice;
  if (told_only) {
    chronicle_.log(LogLevel::info, cloud() + " advises: " + notice.kind +
                                       "; not told to the trainer (advice=relay would)");
    return {};
  }
  return Notice{cloud() + " (" + notice.kind + ")", notice.kind, cloud(), notice.id, told.end};
}

void CloudWatch::add_fds(std::vector<int>& fds) const {
  if (watcher_) watcher_->add_fds(fds);
}

void CloudWatch::saved() {
  if (watcher_) watcher_->saved(kSavedLimit);
}

std::vector<ProcessId> CloudWatch::helpers() const {
  return watcher_ ? watcher_->helpers() : std::vector<ProcessId>{};
}

}  // namespace pw
