#pragma once
#include <string_view>

namespace pw {

/// What a notice came by. Only a signal has a sender; the others we give ourselves.
enum class NoticeSource {
  signal,
  own_limit,  ///< --notice-after
  job_end,    ///< --notice-before-end
  cloud,      ///< --cloud
};

/// The journal's "source".
constexpr std::string_view source_word(NoticeSource source) {
  switch (source) {
    case NoticeSource::signal: return "signal";
    case NoticeSource::own_limit: return "own-limit";
    case NoticeSource::job_end: return "job-end";
    case NoticeSource::cloud: return "cloud";
  }
  return "";
}

}  // namespace pw
