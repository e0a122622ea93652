#pragma once
#include <optional>
#include <string>
#include <vector>

#include "core/cloud_source.hpp"
#include "core/notice_watch.hpp"
#include "core/result.hpp"
#include "os/aside.hpp"

namespace pw {

/// Asks one cloud again and again whether the machine is to be taken away, in a process of its own
/// for each question that may have to wait: whatever a metadata service does, and whatever is wrong
/// with its answers, our loop, our signals and the trainer are not touched. A process that has died
/// is started again. Between two questions nobody wakes up.
class CloudWatcher {
 public:
  /// `source` with `auto` resolved. The error says why nothing can be asked, as a sentence's end.
  static Result<CloudWatcher> start(const CloudSource& source);

  struct News : NoticeWatch::News {
    std::size_t asker = 0;  ///< which of its processes has heard it
  };
  /// What has been heard since the last time; never blocks.
  std::vector<News> hear();

  std::size_t askers() const { return asking_.size(); }
  void add_fds(std::vector<int>& fds) const;
  std::optional<Instant> wake() const { return restart_at_; }

  /// The work is saved. Waits for at most `limit` until the cloud has been told, if it is to be
  /// (else nothing); why it could not be, or empty.
  std::optional<std::string> saved(Nanos limit);

  std::vector<ProcessId> helpers() const;  ///< not of the trainer's tree

 private:
  explicit CloudWatcher(CloudSource source) : source_(std::move(source)) {}
  Result<void> open();

  CloudSource source_;
  std::vector<Aside> asking_;
  std::optional<Instant> restart_at_;
};

/// `auto` by the firmware (/sys/class/dmi/id); else the source as it is.
CloudSource resolved(CloudSource source);

}  // namespace pw
