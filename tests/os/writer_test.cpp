#include "os/writer.hpp"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fstream>
#include <sstream>

#include "os/settings_file.hpp"

using namespace pw;

namespace {

struct TemporaryFolder {
  std::string path = "/tmp/pw-writer-XXXXXX";
  TemporaryFolder() { REQUIRE(mkdtemp(path.data()) != nullptr); }
  ~TemporaryFolder() {
    unlink((path + "/file").c_str());
    rmdir(path.c_str());
  }
};

std::string text_of(const std::string& path) {
  std::ostringstream text;
  text << std::ifstream(path).rdbuf();
  return text.str();
}

}  // namespace

TEST_CASE("lines are in the file, in order, when the writer is closed") {
  const TemporaryFolder folder;
  const std::string path = folder.path + "/file";
  std::string want;
  {
    auto writer = Writer::to_path(path);
    REQUIRE(writer.has_value());
    for (int i = 0; i < 300; ++i) {
      const std::string line = "line " + std::to_string(i) + "\n";
      want += line;
      CHECK(writer->write_line(line));
    }
    writer->close(10'000);
  }
  CHECK(text_of(path) == want);
}

TEST_CASE("a writer that does not keep up loses lines, and never blocks us") {
  const TemporaryFolder folder;
  const std::string path = folder.path + "/file";
  REQUIRE(mkfifo(path.c_str(), 0600) == 0);
  const int reader = open(path.c_str(), O_RDWR | O_NONBLOCK | O_CLOEXEC);
  const int blocking = open(path.c_str(), O_WRONLY | O_CLOEXEC);
  auto writer = Writer::to_fd(blocking);
  REQUIRE(writer.has_value());
  int dropped = 0;
  const std::string line(4000, 'x');
  for (int i = 0; i < 1000; ++i) dropped += writer->write_line(line) ? 0 : 1;
  CHECK(dropped > 0);
  writer->close(0);
  close(blocking);
  close(reader);
}

TEST_CASE("a settings file is refused when it cannot be trusted") {
  const TemporaryFolder folder;
  const std::string path = folder.path + "/file";
  CHECK(read_settings_file(path).error().why == std::errc::no_such_file_or_directory);
  CHECK_FALSE(read_settings_file(folder.path).has_value());
  std::ofstream(path) << "grace: 5m\n";
  chmod(path.c_str(), 0644);
  CHECK(*read_settings_file(path) == "grace: 5m\n");
  if (geteuid() == 0) {
    chmod(path.c_str(), 0666);
    CHECK_FALSE(read_settings_file(path).has_value());
    chmod(path.c_str(), 0644);
    CHECK(chown(path.c_str(), 65534, 65534) == 0);
    CHECK_FALSE(read_settings_file(path).has_value());
  }
  unlink(path.c_str());
  REQUIRE(mkfifo(path.c_str(), 0600) == 0);
  CHECK_FALSE(read_settings_file(path).has_value());  // and it does not hang
}
