#include "core/cloud_message.hpp"

#include <algorithm>
#include <string_view>

#include "core/number.hpp"
#include "core/text.hpp"

namespace pw {
namespace {

constexpr char kBetween = '\t';
constexpr std::size_t kWordsMost = 400;
constexpr std::size_t kNoticesMost = 8;  // one line of a socket holds them
constexpr std::size_t kFieldsOfNotice = 5;

// A cloud's words go into a log and a journal: nothing in them may end a line or move a cursor.
std::string plain(std::string text) {
  if (text.size() > kWordsMost) text.resize(kWordsMost);
  std::replace_if(
      text.begin(), text.end(),
      [](char c) { return static_cast<unsigned char>(c) < ' ' || c == 0x7f; }, ' ');
  return text;
}

std::string end_text(const std::optional<Instant>& end) {
  return end ? std::to_string(end->time_since_epoch().count()) : "-";
}

}  // namespace

std::string encode(const NoticeWatch::News& news) {
  std::string line = news.answers ? "a" : "-";
  line += news.withdrawn ? "w" : "-";
  line += news.leaves ? "l" : "-";
  line += news.known ? "k" : "-";
  line += kBetween + plain(news.trouble);
  const std::size_t count = std::min(news.notices.size(), kNoticesMost);
  for (std::size_t i = 0; i < count; ++i) {
    const auto& [notice, end] = news.notices[i];
    line += kBetween + std::to_string(static_cast<int>(notice.weight)) + kBetween + end_text(end);
    line += kBetween + plain(notice.kind) + kBetween + plain(notice.id);
    line += kBetween + plain(notice.remark);
  }
  return line;
}

std::optional<NoticeWatch::News> parse_cloud_news(const std::string& line) {
  const auto fields = split(line, kBetween);
  if (fields.size() < 2 || (fields.size() - 2) % kFieldsOfNotice != 0) return {};
  if (fields[0].size() != 4) return {};
  NoticeWatch::News news;
  news.answers = fields[0][0] == 'a';
  news.withdrawn = fields[0][1] == 'w';
  news.leaves = fields[0][2] == 'l';
  news.known = fields[0][3] == 'k';
  news.trouble = fields[1];
  for (std::size_t at = 2; at < fields.size(); at += kFieldsOfNotice) {
    const auto weight = parse_number(fields[at]);
    const auto end = parse_number(fields[at + 1]);
    if (!weight || *weight > 2 || (!end && fields[at + 1] != "-")) return {};
    NoticeWatch::Told told;
    told.notice.weight = static_cast<CloudNotice::Weight>(*weight);
    told.notice.kind = fields[at + 2];
    told.notice.id = fields[at + 3];
    told.notice.remark = fields[at + 4];
    if (end) told.end = Instant(Nanos(*end));
    news.notices.push_back(told);
  }
  return news;
}

}  // namespace pw
