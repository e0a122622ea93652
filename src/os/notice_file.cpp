#include "os/notice_file.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>

#include "os/clock.hpp"
#include "os/fd.hpp"
#include "os/os_error.hpp"
#include "os/replace_file.hpp"

namespace pw {
namespace {

constexpr Nanos kAnswerLimit = Seconds(1);
constexpr std::string_view kReady = "ready";
constexpr std::string_view kTakeBack = "take back";

// A slip of the hand (--notice-file train.py) must not cost a file.
Result<bool> left_by_us(const std::string& path, const struct stat& found) {
  if (!S_ISREG(found.st_mode)) return false;
  if (found.st_size == 0) return true;
  const Fd file(::open(path.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));
  std::array<char, kNoticeFileBegins.size()> begin{};
  const ssize_t size = file ? read(file.get(), begin.data(), begin.size()) : -1;
  if (size < 0) return os_error("read " + path);
  return std::string_view(begin.data(), static_cast<std::size_t>(size)) == kNoticeFileBegins;
}

std::string folder_of(const std::string& path) {
  const auto slash = path.rfind('/');
  return slash == std::string::npos ? "." : path.substr(0, slash + 1);
}

// Empty, or why it is still there.
std::string remove_notice(const std::string& path) {
  struct stat found {};
  if (lstat(path.c_str(), &found) != 0) {
    return errno == ENOENT ? "" : os_error("look at " + path).text();
  }
  const auto ours = left_by_us(path, found);
  if (!ours) return ours.error().text();
  if (!*ours) return path + " is there and is no notice file; it is left alone";
  return unlink(path.c_str()) == 0 ? "" : os_error("remove " + path).text();
}

// Empty, or why there can be no notice file.
std::string prepare(const std::string& path) {
  if (const std::string trouble = remove_notice(path); !trouble.empty()) return trouble;
  // Said today, not when the notice is there.
  const std::string folder = folder_of(path);
  if (access(folder.c_str(), W_OK | X_OK) != 0) return os_error("write into " + folder).text();
  return "";
}

void keep(int socket, const std::string& path) {
  const std::string trouble = prepare(path);
  send_message(socket, trouble.empty() ? kReady : trouble);
  if (!trouble.empty()) return;
  while (const auto text = receive_message(socket)) {
    if (*text == kTakeBack) {
      const std::string left = remove_notice(path);
      if (!left.empty()) send_message(socket, left);
      continue;
    }
    const auto replaced = replace_file(path, *text);
    if (!replaced) send_message(socket, replaced.error().text());
  }
}

}  // namespace

Result<NoticeFile> NoticeFile::start(const std::string& path) {
  PW_TRY(Aside writer, Aside::start([&path](int socket) { keep(socket, path); },
                                    "fork the notice file's writer"));
  return NoticeFile(std::move(writer));
}

std::optional<std::string> NoticeFile::refusal() {
  const auto answer = writer_.receive(monotonic_now() + kAnswerLimit);
  ready_ = answer == kReady;
  if (ready_) return {};
  return answer.value_or("the filesystem does not answer");
}

void NoticeFile::write(std::string_view text) {
  if (ready_) writer_.send(text);
}

void NoticeFile::take_back() { write(kTakeBack); }

std::optional<std::string> NoticeFile::trouble() {
  const auto message = writer_.receive(monotonic_now());
  // The answer of a filesystem that was too slow: the trainer was not told of the file.
  return message == kReady ? std::nullopt : message;
}

std::optional<std::string> NoticeFile::close(int millis) {
  writer_.say_no_more();
  const Instant limit = monotonic_now() + Millis(millis);
  std::optional<std::string> last;
  while (!writer_.over() && monotonic_now() < limit) {
    if (auto message = writer_.receive(limit); message && ready_) last = std::move(message);
  }
  if (writer_.over()) writer_.reap();
  return last;
}

}  // namespace pw
