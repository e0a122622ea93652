#include "os/pid_file_reading.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cinttypes>
#include <cstdio>
#include <map>
#include <memory>

#include "os/careful_open.hpp"
#include "os/folder_watch.hpp"
#include "os/os_error.hpp"

namespace pw {
namespace {

constexpr const char* kWhat = "fork a reader of PID files";

std::string encoded(const Result<PidFileFacts>& read) {
  if (!read) return "E" + read.error().text();
  std::array<char, 96> numbers{};
  std::snprintf(numbers.data(), numbers.size(), "F%d %ld %" PRId64 " %d ", read->pid, read->owner,
                static_cast<std::int64_t>(read->written.count()),
                read->storage == Storage::network ? 1 : 0);
  return numbers.data() + read->path;
}

Result<PidFileFacts> decoded(const std::string& message) {
  PidFileFacts facts;
  std::int64_t written = 0;
  int network = 0;
  int path = 0;
  const int taken = std::sscanf(message.c_str(), "F%d %ld %" SCNd64 " %d %n", &facts.pid,
                                &facts.owner, &written, &network, &path);
  if (taken != 4) return Error{message.substr(std::min<std::size_t>(1, message.size())), {}};
  facts.written = Nanos(written);
  facts.storage = network == 0 ? Storage::local : Storage::network;
  facts.path = message.substr(static_cast<std::size_t>(path));
  return facts;
}

bool may_be_pid_file(const std::string& name, unsigned char type) {
  if (name.starts_with('.') || name.ends_with(".lock") || name.ends_with(".tmp")) return false;
  return name.ends_with(".pid") || type == DT_REG || type == DT_UNKNOWN;
}

// Nobody but root has more of something than `most`.
class Shares {
 public:
  explicit Shares(int most) : most_(most) {}
  bool takes(const std::string& path) {
    struct stat found {};
    if (lstat(path.c_str(), &found) != 0) return false;
    return found.st_uid == 0 || ++taken_[found.st_uid] <= most_;
  }

 private:
  int most_;
  std::map<uid_t, int> taken_;
};

constexpr int kFilesOfOne = 256;
constexpr const char* kComplete = "C";

Result<std::vector<std::string>> pid_files_of(const std::string& folder) {
  const std::unique_ptr<DIR, int (*)(DIR*)> opened(opendir(folder.c_str()), closedir);
  if (!opened) return os_error(folder + " cannot be opened");
  std::vector<std::string> paths;
  while (const dirent* item = readdir(opened.get())) {
    const std::string name = item->d_name;
    if (may_be_pid_file(name, item->d_type)) paths.push_back(folder + "/" + name);
  }
  std::sort(paths.begin(), paths.end());
  return paths;
}

void tell_all(int socket, const std::string& folder, Shares* shares = nullptr) {
  const auto paths = pid_files_of(folder);
  if (!paths) return send_message(socket, "E" + paths.error().text());
  for (const std::string& path : *paths) {
    if (shares != nullptr && !shares->takes(path)) continue;
    send_message(socket, encoded(read_pid_file(path)));
  }
}

}  // namespace

Result<PidFileFacts> read_pid_file(const std::string& path) {
  auto file = open_carefully(path);
  if (!file) return Error{path + " " + file.error().what, file.error().why};
  const struct stat& found = file->found;
  // A number that anybody may have written is nobody's word, whoever owns the file.
  if ((found.st_mode & S_IWOTH) != 0) return Error{path + " can be written by everybody", {}};
  // Root's word is believed of anybody's process, so only root may have had it.
  if (found.st_uid == 0 && found.st_gid != 0 && (found.st_mode & S_IWGRP) != 0) {
    return Error{path + " is root's, and its group can write it", {}};
  }
  if (found.st_size > static_cast<off_t>(kPidFileMax)) {
    return Error{path + " is too long for a PID file", {}};
  }
  std::array<char, kPidFileMax + 1> text{};
  const ssize_t size = read(file->fd.get(), text.data(), text.size());
  if (size < 0) return os_error(path + " cannot be read");
  const auto pid = parse_pid({text.data(), static_cast<std::size_t>(size)});
  if (!pid) return Error{path + " " + pid.error().what, {}};
  return PidFileFacts{
      .path = file->path,
      .pid = *pid,
      .owner = static_cast<long>(found.st_uid),
      .written = Seconds(found.st_mtim.tv_sec) + Nanos(found.st_mtim.tv_nsec),
      .storage = on_network_filesystem(file->fd.get()) ? Storage::network : Storage::local};
}

Result<PidFileReading> PidFileReading::of_file(const std::string& path) {
  const auto read_one = [&path](int socket) { send_message(socket, encoded(read_pid_file(path))); };
  PW_TRY(Aside aside, Aside::start(read_one, kWhat));
  return PidFileReading(std::move(aside));
}

Result<PidFileReading> PidFileReading::of_folders(const std::string& folder) {
  const auto read_all = [&folder](int socket) {
    Shares shares(kFilesOfOne);
    tell_all(socket, folder, &shares);
    for (const std::string& below : folders_of(folder)) tell_all(socket, below, &shares);
    send_message(socket, kComplete);
  };
  PW_TRY(Aside aside, Aside::start(read_all, kWhat));
  return PidFileReading(std::move(aside));
}

Result<PidFileReading> PidFileReading::of_folder(const std::string& folder) {
  const auto read_all = [&folder](int socket) { tell_all(socket, folder); };
  PW_TRY(Aside aside, Aside::start(read_all, kWhat));
  return PidFileReading(std::move(aside));
}

std::optional<Result<PidFileFacts>> PidFileReading::next(Instant until) {
  const auto message = aside_.receive(until);
  if (!message) return {};
  if (*message == kComplete) {
    complete_ = true;
    return next(until);
  }
  return decoded(*message);
}

}  // namespace pw
