#include <doctest/doctest.h>
#include <stdlib.h>

#include <cstdio>
#include <filesystem>
#include <fstream>

#include "cloud/question.hpp"

using namespace pw;

namespace {

class NoticeFile {
 public:
  NoticeFile() {
    REQUIRE(mkdtemp(folder_.data()) != nullptr);
    const CloudSource source{.kind = CloudSource::Kind::file, .path = path()};
    questions_ = *file_questions(source);
  }
  ~NoticeFile() { std::filesystem::remove_all(folder_); }
  NoticeFile(const NoticeFile&) = delete;
  NoticeFile& operator=(const NoticeFile&) = delete;

  void holds(const char* text) const { std::ofstream(path()) << text; }
  void is_removed() const { std::filesystem::remove(path()); }

  // What it announces: "terminate", "" for nothing, "?" when it is not known.
  std::string says() const {
    const CloudAnswer answer = questions_.at(0).ask();
    if (!answer.known()) return "?";
    return answer.notices.empty() ? "" : answer.notices.at(0).kind;
  }

 private:
  std::string path() const { return folder_ + "/notice"; }
  std::string folder_ = "/tmp/pw-cloud-XXXXXX";
  std::vector<CloudQuestion> questions_;
};

}  // namespace

TEST_CASE("whoever writes it anew in place takes nothing back") {
  const NoticeFile file;
  CHECK(file.says().empty());
  file.holds("");
  CHECK(file.says().empty());
  file.holds(R"({"action":"stop"})");
  CHECK(file.says() == "stop");
  file.holds("");
  CHECK(file.says() == "stop");
  file.holds(R"({"action":)");
  CHECK(file.says() == "?");
  file.holds("\n");
  CHECK(file.says() == "stop");
  file.holds(R"({"action":"terminate"})");
  CHECK(file.says() == "terminate");
}

TEST_CASE("whoever removes it takes it back") {
  const NoticeFile file;
  file.holds(R"({"action":"stop"})");
  CHECK(file.says() == "stop");
  file.is_removed();
  CHECK(file.says().empty());
  file.holds("");
  CHECK(file.says().empty());
}
