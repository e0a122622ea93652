#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace pw {

/// How far a trainer has come, as its --progress-file tells: the number in the first line (a step,
/// an epoch), else when and how long it was last written. Nothing of it: there is no such file.
struct Progress {
  std::optional<std::int64_t> number;
  std::int64_t written = 0;  ///< mtime in ns since 1970
  std::int64_t size = 0;
  friend bool operator==(const Progress&, const Progress&) = default;
};

/// The number of a progress file that begins so: digits alone in the first line, blanks around
/// them.
std::optional<std::int64_t> progress_number(std::string_view text);

/// Whether `now` is further than `before`. A number must be larger than it ever was: a trainer that
/// begins anew each time has come nowhere. Without one, any other writing will do.
bool is_further(const std::optional<Progress>& now, const std::optional<Progress>& before);

/// "n:1200", "w:1796000000000000000:5", "-" for none.
std::string progress_text(const std::optional<Progress>& progress);
/// Outer nothing: it is no such text.
std::optional<std::optional<Progress>> parse_progress(std::string_view text);

}  // namespace pw
