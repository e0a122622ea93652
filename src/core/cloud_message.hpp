#pragma once
#include <optional>
#include <string>

#include "core/notice_watch.hpp"

namespace pw {

/// How the process that asks a cloud (cloud/watcher) tells what it has heard: one line, whatever
/// words a cloud used.
std::string encode(const NoticeWatch::News& news);

/// Nothing if it is not exactly such a line.
std::optional<NoticeWatch::News> parse_cloud_news(const std::string& line);

}  // namespace pw
