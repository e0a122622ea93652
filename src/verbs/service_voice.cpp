#include "verbs/service_voice.hpp"

#include <utility>

namespace pw {

void ServiceVoice::status(const std::string& line) {
  if (std::exchange(status_, line) != line) say("STATUS=" + line);
}

void ServiceVoice::extend(Nanos more) {
  say("EXTEND_TIMEOUT_USEC=" + std::to_string(more.count() / 1000));
}

// A manager that does not take it now takes the next one: nothing here is told only once.
void ServiceVoice::say(const std::string& text) {
  if (upwards_) upwards_->send(text);
}

}  // namespace pw
