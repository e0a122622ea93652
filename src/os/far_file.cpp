#include "os/far_file.hpp"

#include <sys/stat.h>

#include "os/aside.hpp"
#include "os/clock.hpp"

namespace pw {

std::optional<bool> file_is_there(const std::string& path, Nanos limit) {
  auto aside = Aside::start(
      [&](int socket) {
        struct stat found {};
        send_message(socket, stat(path.c_str(), &found) == 0 ? "there" : "absent");
      },
      "fork to look for " + path);
  if (!aside) return {};
  const auto message = aside->receive(monotonic_now() + limit);
  if (!message) return {};
  return *message == "there";
}

}  // namespace pw
