#include "verbs/cloud_watch.hpp"

#include "core/duration.hpp"
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
  const std::string where = source_.kind == CloudSource::Kind::file ? " " + source_.path : "";
  chronicle_.log(LogLevel::info, "asks " + cloud() + where + " whether the machine is taken away");
}

std::vector<CloudWatch::News> CloudWatch::hear() {
  std::vector<News> heard;
  if (!watcher_) return heard;
  for (const CloudWatcher::News& said : watcher_->hear()) {
    take(said);
    News news{.withdrawn = said.known && take_standing(said), .notices = {}};
    if (news.withdrawn) {
      for (News& earlier : heard) {
        std::erase_if(earlier.notices, [](const Notice& notice) { return notice.end.has_value(); });
      }
    }
    for (const NoticeWatch::Told& told : said.notices) {
      if (auto notice = judged(told)) news.notices.push_back(std::move(*notice));
    }
    heard.push_back(std::move(news));
  }
  return heard;
}

// Of all that ask the same service one is told of.
void CloudWatch::take(const CloudWatcher::News& news) {
  if (!news.trouble.empty()) {
    const bool first = failing_.empty();
    failing_.insert(news.asker);
    answers_ = false;
    if (first) {
      chronicle_.warn(cloud() + ": " + news.trouble +
                      "; it is asked again, nothing ends because of it");
    }
  }
  if (news.answers) {
    const bool again = failing_.erase(news.asker) > 0;
    if (failing_.empty()) {
      answers_ = true;
      chronicle_.log(again ? LogLevel::info : LogLevel::debug,
                     cloud() + (again ? " answers again" : " answers"));
    }
  }
}

// As if every asker had heard of it: the answers of all of them are needed to take it back.
void CloudWatch::stood_before() {
  if (!watcher_) return;
  for (std::size_t asker = 0; asker < watcher_->askers(); ++asker) standing_.insert(asker);
}

// Of two keys of one service each may announce the end: it is withdrawn when none does, also when
// the process that had heard of it was not there to hear that; or when another end is named
// instead. True: it is withdrawn.
bool CloudWatch::take_standing(const CloudWatcher::News& news) {
  const bool stood = !standing_.empty();
  if (news.leaves) {
    standing_.insert(news.asker);
  } else {
    standing_.erase(news.asker);
  }
  const bool none = stood && standing_.empty();
  const bool another = news.withdrawn && standing_.size() == 1 && news.leaves;
  if (!none && !another) return false;
  chronicle_.log(LogLevel::info, cloud() + " has withdrawn its notice; nobody is killed for it");
  chronicle_.journal("cloud-withdrawn", JournalRecord().add("cloud", cloud()));
  return true;
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
    chronicle_.warn(cloud() + " announces " + notice.kind + ", but " + notice.remark + "; " +
                    spoken(notice.window.value_or(Nanos(0))) + " count, from now");
  }
  const bool told_only = notice.weight == CloudNotice::Weight::advice && !source_.relay_advice;
  if (told_only) {
    chronicle_.log(LogLevel::info, cloud() + " advises: " + notice.kind +
                                       "; not told to the trainer (advice=relay would)");
    return {};
  }
  return Notice{cloud() + " (" + notice.kind + ")", notice.kind, notice.id, told.end};
}

void CloudWatch::add_fds(std::vector<int>& fds) const {
  if (watcher_) watcher_->add_fds(fds);
}

void CloudWatch::saved() {
  const auto trouble = watcher_ ? watcher_->saved(kSavedLimit) : std::nullopt;
  if (!trouble) return;
  if (!trouble->empty()) return chronicle_.warn(cloud() + " was not told of the save: " + *trouble);
  chronicle_.log(LogLevel::info, cloud() + " was told that the work is saved");
  chronicle_.journal("acknowledged", JournalRecord().add("cloud", cloud()));
}

std::vector<ProcessId> CloudWatch::helpers() const {
  return watcher_ ? watcher_->helpers() : std::vector<ProcessId>{};
}

}  // namespace pw
