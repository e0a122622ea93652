#pragma once
#include <optional>
#include <string>
#include <string_view>

#include "core/result.hpp"
#include "os/aside.hpp"

namespace pw {

/// The beginning of each notice file (docs/notice-file.md); nothing else is ever removed.
inline constexpr std::string_view kNoticeFileBegins = "{\"preempt_notice\":";

/// A small file that tells a trainer of the notice. A process of its own does all that touches the
/// filesystem, so that one that is full or hangs never delays us. There only when asked for.
class NoticeFile {
 public:
  /// Starts the process that first removes what an earlier run left there.
  static Result<NoticeFile> start(const std::string& path);

  /// Waits until it is known that no old notice is there, at most a second; to be called before the
  /// trainer starts. Otherwise why there is no notice file: nothing will be written then.
  std::optional<std::string> refusal();

  /// Replaces the file, in one step for whoever reads it. Never blocks.
  void write(std::string_view text);

  /// Removes it, if it is a notice file. Never blocks.
  void take_back();

  /// What went wrong: "make /x/notice.7.tmp: No space left on device".
  std::optional<std::string> trouble();
  /// Readable when trouble() has something to tell; -1 when it never will again.
  int trouble_fd() const { return writer_.fd(); }

  /// Waits until all is written, at most so long; what went wrong at last.
  std::optional<std::string> close(int millis);

  ProcessId id() const { return writer_.id(); }

 private:
  explicit NoticeFile(Aside writer) : writer_(std::move(writer)) {}
  Aside writer_;
  bool ready_ = false;
};

}  // namespace pw
