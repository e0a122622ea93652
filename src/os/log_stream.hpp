#pragma once
#include <optional>
#include <string>
#include <string_view>

#include "core/process_tree.hpp"
#include "os/fd.hpp"
#include "os/writer.hpp"

namespace pw {

/// Our lines on stderr. A reader that has stopped, or a filesystem that hangs, loses lines (they
/// are counted and told of later) and never stops the loop.
class LogStream {
 public:
  void write_line(std::string line);

  /// Whether stderr is the one that JOURNAL_STREAM names, `device:inode` (systemd.exec(5)): the
  /// journal puts a time of its own before each line.
  static bool is_journal(const std::string& journal_stream);

  /// At our end: what waited for a writer gets a moment.
  void close();

  /// Our own helper process, not of the trainer's tree.
  std::optional<ProcessId> helper() const;

 private:
  enum class Way { unknown, description, blocking, writer };
  void choose_way();
  bool put(std::string_view line);
  bool put_rest();

  Way way_ = Way::unknown;
  Fd description_;  // stderr opened anew: O_NONBLOCK there does not touch the trainer's stderr
  std::optional<Writer> writer_;
  std::string rest_;  // of a line that a socket has taken a part of
  int dropped_ = 0;
};

}  // namespace pw
