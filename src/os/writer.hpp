#pragma once
#include <optional>
#include <string>
#include <string_view>

#include "core/process_tree.hpp"
#include "core/result.hpp"
#include "os/aside.hpp"

namespace pw {

/// A process of its own that appends lines to one file, each by one write(2) with O_APPEND: a full,
/// read-only or hung filesystem blocks it and never us (os/aside). There only when
/// asked for.
class Writer {
 public:
  /// The file is opened by the writer process; trouble() tells if it cannot.
  static Result<Writer> to_path(const std::string& path);
  /// For a descriptor that we hold already: stderr into a file.
  static Result<Writer> to_fd(int fd);

  /// Never blocks; false if the line had to be dropped because the writer does not keep up.
  bool write_line(std::string_view line);

  /// What went wrong with the file, once: "open /x: Permission denied", "write: No space left ...".
  std::optional<std::string> trouble();
  /// Readable when trouble() has something to tell; -1 when it never will again.
  int trouble_fd() const { return aside_.fd(); }

  /// Waits until the writer has written all, at most `millis`, then leaves it to itself. trouble()
  /// still tells of the last lines.
  void close(int millis);

  ProcessId id() const { return aside_.id(); }

 private:
  explicit Writer(Aside aside) : aside_(std::move(aside)) {}
  static Result<Writer> start(const std::string& path, int fd);
  Aside aside_;
  std::optional<std::string> last_trouble_;  // heard while it closed
};

}  // namespace pw
