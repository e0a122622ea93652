#pragma once
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace pw {

/// One journal line in the making: a flat JSON object (docs/journal.md). Text that is no UTF-8
/// (a command's words may be any bytes) has each wrong byte replaced by U+FFFD.
class JournalRecord {
 public:
  JournalRecord& add(std::string_view key, std::string_view value);
  JournalRecord& add(std::string_view key, const char* value) {
    return add(key, std::string_view(value));
  }
  JournalRecord& add(std::string_view key, std::int64_t value);
  JournalRecord& add(std::string_view key, int value) {
    return add(key, static_cast<std::int64_t>(value));
  }
  JournalRecord& add(std::string_view key, bool value);
  JournalRecord& add(std::string_view key, std::span<const std::string> values);
  JournalRecord& add(std::string_view key, std::span<const int> values);
  JournalRecord& add(std::string_view key, const JournalRecord& object);

  /// The object, without a newline.
  std::string json() const { return "{" + body_ + "}"; }

 private:
  void key(std::string_view name);
  std::string body_;
};

/// A JSON string literal with its quotes.
std::string json_string(std::string_view text);

}  // namespace pw
