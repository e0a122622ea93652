#pragma once
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "cloud/watcher.hpp"
#include "verbs/chronicle.hpp"

namespace pw {

/// A cloud's notices for whoever has a log and a journal: starts cloud/watcher, tells once when the
/// cloud does not answer and when it does again, and hands on what is to be acted upon. Never ends
/// anything, whatever it hears. Called by the Supervisor and by `watch`.
class CloudWatch {
 public:
  CloudWatch(CloudSource source, Chronicle& chronicle)
      : source_(std::move(source)), chronicle_(chronicle) {}

  /// Says so where nobody can be asked.
  void open();

  struct Notice {
    std::string words;  ///< "ec2 (terminate)"
    std::string kind;
    std::string id;
    std::optional<Instant> end;  ///< nothing: the trainer is told, nothing need end
  };
  struct News {
    bool withdrawn = false;  ///< what was announced before is not to happen after all
    std::vector<Notice> notices;
  };
  /// In the order in which it was said, without ends that were withdrawn before we heard of them.
  /// To be called when one of the descriptors is readable, or wake() has come.
  std::vector<News> hear();

  /// One before us has heard of an end: if nobody names it any more, it is withdrawn.
  void stood_before();

  void add_fds(std::vector<int>& fds) const;
  std::optional<Instant> wake() const { return watcher_ ? watcher_->wake() : std::nullopt; }

  /// The work is saved: for a cloud that wants to know (azure:ack=yes).
  void saved();

  std::vector<ProcessId> helpers() const;
  std::string cloud() const { return std::string(cloud_word(source_.kind)); }  ///< after open()
  bool asks() const { return watcher_.has_value(); }
  bool answers() const { return answers_; }

 private:
  void take(const CloudWatcher::News& news);
  bool take_standing(const CloudWatcher::News& news);
  std::optional<Notice> judged(const NoticeWatch::Told& told);

  CloudSource source_;
  Chronicle& chronicle_;
  std::optional<CloudWatcher> watcher_;
  bool answers_ = false;
  std::set<std::size_t> failing_;   // which of the askers
  std::set<std::size_t> standing_;  // who says that the machine ends
};

}  // namespace pw
