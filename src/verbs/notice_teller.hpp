#pragma once
#include <optional>
#include <string>
#include <vector>

#include "core/signal.hpp"
#include "core/time.hpp"
#include "os/notice_file.hpp"

namespace pw {

/// Tells a notice in the notice file (docs/notice-file.md), for a trainer that looks there between
/// two steps. Without --notice-file it does nothing. Acts at flush(), after the relay.
class NoticeTeller {
 public:
  struct News {
    Signal signal = 0;  ///< what came; 0: it was no signal
    std::string cause;
    bool advice = false;              ///< save and go on: the end is far away
    std::optional<Instant> deadline;  ///< when the scheduler kills
    std::optional<Instant> sigkill;   ///< when we do
  };

  /// Why the trainer must not be told of this file, or nothing; to be called before it starts.
  std::optional<std::string> open(const std::string& path);

  /// A notice came.
  void tell(const News& news);
  /// More is known of the end of the last one.
  void correct(std::optional<Instant> deadline, std::optional<Instant> sigkill);
  /// It is not to happen after all.
  void take_back();
  void flush();

  std::optional<std::string> trouble();
  std::optional<std::string> close(int millis);
  void add_trouble_fd(std::vector<int>& fds) const;
  void add_helper(std::vector<ProcessId>& ids) const;

 private:
  std::optional<NoticeFile> file_;
  std::optional<News> news_;
  std::string time_;  // when it came
  std::string text_;  // to be written
};

}  // namespace pw
