#pragma once
#include <sys/types.h>

#include <optional>
#include <string>
#include <string_view>

#include "core/process_tree.hpp"
#include "core/result.hpp"
#include "os/fd.hpp"

namespace pw {

/// A process of its own that appends lines to one file, each by one write(2) with O_APPEND: a full,
/// read-only or hung filesystem blocks it and never us. There only when asked for. A thread would
/// not do: one that hangs in the kernel keeps the whole process from ending.
class Writer {
 public:
  /// The file is opened by the writer process; trouble() tells if it cannot.
  static Result<Writer> to_path(const std::string& path);
  /// For a descriptor that we hold already: stderr into a file.
  static Result<Writer> to_fd(int fd);

  Writer(Writer&&) noexcept = default;
  Writer& operator=(Writer&&) noexcept = default;

  /// Never blocks; false if the line had to be dropped because the writer does not keep up.
  bool write_line(std::string_view line);

  /// What went wrong with the file, once: "open /x: Permission denied", "write: No space left ...".
  std::optional<std::string> trouble();
  /// Readable when trouble() has something to tell; -1 when it never will again.
  int trouble_fd() const { return lines_.get(); }

  /// Waits until the writer has written all, at most `millis`, then leaves it to itself.
  void close(int millis);

  ProcessId id() const { return id_; }

 private:
  Writer(Fd lines, ProcessId id) : lines_(std::move(lines)), id_(id) {}
  static Result<Writer> start(const std::string& path, int fd);
  Fd lines_;
  ProcessId id_;
};

}  // namespace pw
