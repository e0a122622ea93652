#include <unistd.h>

#include <array>
#include <cerrno>
#include <memory>
#include <optional>

#include "cloud/http.hpp"
#include "cloud/json.hpp"
#include "cloud/question.hpp"
#include "core/text.hpp"
#include "os/careful_open.hpp"
#include "os/folder_watch.hpp"

namespace pw {
namespace {

constexpr Nanos kPoll = Seconds(1);  // another node's write is no event of ours

// Its folder is watched, not the file: it may not be there yet, or be replaced.
std::string folder_of(const std::string& path) {
  const auto slash = path.rfind('/');
  return slash == std::string::npos ? "." : path.substr(0, slash + 1);
}

// Who owns the folder can put any file there, as the node's daemon does in a folder of its own.
bool is_trusted(const CarefulFile& file) {
  const uid_t owner = file.found.st_uid;
  if (owner == 0 || owner == geteuid()) return true;
  struct stat folder {};
  return stat(file.path.substr(0, file.path.rfind('/') + 1).c_str(), &folder) == 0 &&
         folder.st_uid == owner;
}

// Nothing: there is no file. Whoever writes there ends our run.
Result<std::optional<std::string>> text_in(const std::string& path) {
  const auto file = open_carefully(path);
  if (!file && file.error().why == std::errc::no_such_file_or_directory) {
    struct stat folder {};
    if (stat(folder_of(path).c_str(), &folder) == 0) return std::nullopt;
  }
  if (!file) return Error{path + " " + file.error().what, file.error().why};
  if ((file->found.st_mode & S_IWOTH) != 0) {
    return Error{path + " can be written by everybody", {}};
  }
  if (!is_trusted(*file)) return Error{path + " is neither ours nor root's", {}};
  std::array<char, kHttpBodyMax + 1> text{};
  const ssize_t size = read(file->fd.get(), text.data(), text.size());
  if (size < 0) return Error{path + " cannot be read", {errno, std::generic_category()}};
  if (size > static_cast<ssize_t>(kHttpBodyMax)) return Error{path + " is too long", {}};
  return std::string(text.data(), static_cast<std::size_t>(size));
}

// Whoever writes a file anew in place has emptied it first: that takes back nothing of what it has
// said `before`.
CloudAnswer look(const std::string& path, const CloudAnswer& before) {
  const auto text = text_in(path);
  if (!text) return {{}, text.error().text()};
  if (!*text) return {};
  if (trimmed(**text).empty()) return before;
  const auto document = notice_document_in(**text);
  if (!document) return {{}, path + " " + document.error().what};
  return {{judge_document(*document, since_1970())}, ""};
}

}  // namespace

// Its watch is made in the process that asks, which keeps no descriptor of ours.
Result<std::vector<CloudQuestion>> file_questions(const CloudSource& source) {
  const std::string path = source.path;
  const Nanos poll = source.poll.value_or(kPoll);
  const auto watch = std::make_shared<std::optional<FolderWatch>>();
  const auto before = std::make_shared<CloudAnswer>();
  const auto ask = [path, watch, before] {
    if (!*watch) watch->emplace();
    (*watch)->add(folder_of(path));
    (*watch)->drain();
    CloudAnswer answer = look(path, *before);
    if (answer.known()) *before = answer;
    return answer;
  };
  const auto wake = [watch] { return *watch ? (*watch)->fd() : -1; };
  return std::vector{CloudQuestion{.ask = ask, .poll = poll, .pause = poll, .wake = wake}};
}

}  // namespace pw
