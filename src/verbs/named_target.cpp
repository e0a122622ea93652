#include "verbs/named_target.hpp"

#include "os/clock.hpp"
#include "os/pid_target.hpp"
#include "os/process_table.hpp"

namespace pw {
namespace {

constexpr Nanos kReadLimit = Millis(100);
constexpr Nanos kLookAgain = Millis(250);

}  // namespace

std::optional<ProcessEntry> NamedTarget::find(Instant now) {
  if (found_) {
    const auto entry = read_process(found_->pid);
    if (entry && entry->id == *found_ && entry->alive()) return entry;
    found_.reset();
  }
  if (!looked_at_ || now - *looked_at_ >= kLookAgain) {
    looked_at_ = now;
    // Who is of our tree is of this host, whatever the path says.
    const auto named =
        read_target_pid_file(path_, HostRule::any_host, monotonic_now() + kReadLimit);
    if (!named) {
      trouble_ = named.error().text();
    } else if (!tree_.has(*named)) {
      trouble_ = path_ + " names pid " + std::to_string(named->pid) +
                 ", which is not of the trainer's tree";
    } else {
      found_ = *named;
      trouble_.clear();
    }
  }
  return found_ ? read_process(found_->pid) : std::nullopt;
}

}  // namespace pw
