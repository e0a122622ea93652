#include "os/far_file.hpp"

#include <sys/stat.h>

#include <cerrno>

#include "os/aside.hpp"
#include "os/clock.hpp"

namespace pw {

std::optional<bool> file_is_there(const std::string& path, Nanos limit) {
  auto aside = Aside::start(
      [&](int socket) {
        struct stat found {};
        const bool there = stat(path.c_str(), &found) == 0;
        const bool absent = !there && (errno == ENOENT || errno == ENOTDIR);
        send_message(socket, there ? "there" : absent ? "absent" : "unknown");
      },
      "fork to look for " + path);
  if (!aside) return {};
  const auto message = aside->receive(monotonic_now() + limit);
  if (!message || *message == "unknown") return {};
  return *message == "there";
}

}  // namespace pw
