#include "core/journal_record.hpp"

#include <array>
#include <cstdio>

namespace pw {
namespace {

// The length of the valid UTF-8 sequence at the front of `text` (RFC 3629), 0 if there is none.
std::size_t utf8_length(std::string_view text) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned char first = byte(0);
  if (first < 0x80) return 1;
  const std::size_t length = first >= 0xF0 ? 4 : first >= 0xE0 ? 3 : 2;
  if (first < 0xC2 || first > 0xF4 || text.size() < length) return 0;
  for (std::size_t i = 1; i < length; ++i) {
    if ((byte(i) & 0xC0) != 0x80) return 0;
  }
  // Overlong forms, surrogates, and what is beyond U+10FFFF.
  const unsigned char second = byte(1);
  const bool wrong = (first == 0xE0 && second < 0xA0) || (first == 0xED && second > 0x9F) ||
                     (first == 0xF0 && second < 0x90) || (first == 0xF4 && second > 0x8F);
  return wrong ? 0 : length;
}

std::string escaped(unsigned char c) {
  switch (c) {
    case '"': return "\\\"";
    case '\\': return "\\\\";
    case '\n': return "\\n";
    case '\t': return "\\t";
    case '\r': return "\\r";
    default: break;
  }
  if (c >= 0x20) return {static_cast<char>(c)};
  std::array<char, 8> text{};
  std::snprintf(text.data(), text.size(), "\\u%04x", c);
  return text.data();
}

}  // namespace

std::string json_string(std::string_view text) {
  std::string result = "\"";
  while (!text.empty()) {
    const std::size_t length = utf8_length(text);
    if (length == 0) {
      result += "\xEF\xBF\xBD";
    } else if (length == 1) {
      result += escaped(static_cast<unsigned char>(text[0]));
    } else {
      result += text.substr(0, length);
    }
    text.remove_prefix(length == 0 ? 1 : length);
  }
  return result + "\"";
}

void JournalRecord::key(std::string_view name) {
  if (!body_.empty()) body_ += ",";
  body_ += json_string(name) + ":";
}

JournalRecord& JournalRecord::add(std::string_view name, std::string_view value) {
  key(name);
  body_ += json_string(value);
  return *this;
}

JournalRecord& JournalRecord::add(std::string_view name, std::int64_t value) {
  key(name);
  body_ += std::to_string(value);
  return *this;
}

JournalRecord& JournalRecord::add(std::string_view name, bool value) {
  key(name);
  body_ += value ? "true" : "false";
  return *this;
}

JournalRecord& JournalRecord::add(std::string_view name, std::span<const std::string> values) {
  key(name);
  std::string list;
  for (const std::string& value : values) list += (list.empty() ? "" : ",") + json_string(value);
  body_ += "[" + list + "]";
  return *this;
}

JournalRecord& JournalRecord::add(std::string_view name, std::span<const int> values) {
  key(name);
  std::string list;
  for (const int value : values) list += (list.empty() ? "" : ",") + std::to_string(value);
  body_ += "[" + list + "]";
  return *this;
}

JournalRecord& JournalRecord::add(std::string_view name, const JournalRecord& object) {
  key(name);
  body_ += object.json();
  return *this;
}

}  // namespace pw
