#include "core/journal_record.hpp"

#include <doctest/doctest.h>

#include <vector>

using namespace pw;

TEST_CASE("a record is one flat JSON object") {
  const std::vector<int> pids{4711, 4712};
  JournalRecord sender;
  sender.add("pid", 7);
  JournalRecord record;
  record.add("signal", "USR1")
      .add("value", -3)
      .add("own", true)
      .add("to", std::span<const int>(pids));
  record.add("sender", sender);
  CHECK(record.json() ==
        R"({"signal":"USR1","value":-3,"own":true,"to":[4711,4712],"sender":{"pid":7}})");
  CHECK(JournalRecord().json() == "{}");
}

TEST_CASE("text is escaped, and what is no UTF-8 is replaced byte by byte") {
  struct Row {
    std::string_view text;
    const char* want;
  };
  const Row rows[] = {
      {"a\"b\\c", R"("a\"b\\c")"},
      {"a\nb\tc\rd", R"("a\nb\tc\rd")"},
      {std::string_view("\x01\x1f\0", 3), "\"\\u0001\\u001f\\u0000\""},
      {"gr\xC3\xBC\xC3\x9F", "\"gr\xC3\xBC\xC3\x9F\""},
      {"\xF0\x9F\x98\x80", "\"\xF0\x9F\x98\x80\""},
      {"\xFF", "\"\xEF\xBF\xBD\""},
      {"\xC3", "\"\xEF\xBF\xBD\""},
      {"\xC0\xAF", "\"\xEF\xBF\xBD\xEF\xBF\xBD\""},
      {"\xED\xA0\x80", "\"\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\""},
      {"\xF4\x90\x80\x80", "\"\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\""},
  };
  for (const Row& row : rows) CHECK(json_string(row.text) == row.want);
}
