#include "cloud/question.hpp"

#include "config/environment.hpp"
#include "os/clock.hpp"

namespace pw {

Result<Endpoint> endpoint_of(const CloudSource& source, const char* variable, const char* usual) {
  std::string text = source.endpoint;
  std::string place = "endpoint";
  if (text.empty() && variable != nullptr) {
    place = variable;
    text = environment_value(variable);
  }
  auto endpoint = parse_endpoint(text.empty() ? usual : text);
  if (!endpoint) return Error{place + " " + text + " " + endpoint.error().what, {}};
  return endpoint;
}

Nanos since_1970() {
  const timespec wall = wall_now();
  return Seconds(wall.tv_sec) + Nanos(wall.tv_nsec);
}

}  // namespace pw
