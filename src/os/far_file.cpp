#include "os/far_file.hpp"

#include <sys/stat.h>

#include <cerrno>

#include "os/aside.hpp"
#include "os/clock.hpp"

namespace pw {
namespace {

constexpr const char* kThere = "there";

}  // namespace

Result<FarLook> FarLook::at(const std::string& path) {
  const auto look = [&](int socket) {
    struct stat found {};
    const bool there = stat(path.c_str(), &found) == 0;
    const bool absent = !there && (errno == ENOENT || errno == ENOTDIR);
    if (there || absent) send_message(socket, there ? kThere : "absent");
  };
  PW_TRY(Aside asker, Aside::start(look, "fork to look for " + path));
  return FarLook(std::move(asker));
}

std::optional<bool> FarLook::answer(Instant until) {
  const auto message = asker_.receive(until);
  return message ? std::optional(*message == kThere) : std::nullopt;
}

std::optional<bool> file_is_there(const std::string& path, Nanos limit) {
  auto look = FarLook::at(path);
  return look ? look->answer(monotonic_now() + limit) : std::nullopt;
}

}  // namespace pw
