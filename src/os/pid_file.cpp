#include "os/pid_file.hpp"

#include <unistd.h>

#include <cstdlib>
#include <utility>

#include "os/clock.hpp"
#include "os/owned_pid_file.hpp"

namespace pw {
namespace {

// What the keeper answers, the first letter of a message: an owner, a trouble, or that it has done
// what it was asked last.
constexpr char kOwner = 'O';
constexpr char kTrouble = 'T';
constexpr char kClaimed = 'C';
constexpr char kWritten = 'W';
constexpr char kRemoved = 'R';
// What it is asked: to write a PID, or to remove the file.
constexpr char kWrite = 'w';
constexpr char kRemove = 'r';

std::string message(char kind, const std::string& text = "") { return kind + text; }

void tell_troubles(int socket, OwnedPidFile& file) {
  for (const std::string& text : file.take_warnings()) {
    send_message(socket, message(kTrouble, text));
  }
}

void keep(int socket, const std::string& path, const std::string& host, int wrapper) {
  OwnedPidFile file(path, host, wrapper);
  const std::string owner = file.claim();
  tell_troubles(socket, file);
  send_message(socket, message(owner.empty() ? kClaimed : kOwner, owner));
  if (!owner.empty()) return;
  while (const auto asked = receive_message(socket)) {
    const bool write = (*asked)[0] == kWrite;
    if (write) file.write(std::atoi(asked->c_str() + 1));
    if (!write) file.remove();
    tell_troubles(socket, file);
    send_message(socket, message(write ? kWritten : kRemoved));
  }
  file.leave();
}

}  // namespace

Result<PidFile> PidFile::start(const std::string& path, const std::string& host) {
  const int wrapper = getpid();
  PW_TRY(Aside keeper, Aside::start([&](int socket) { keep(socket, path, host, wrapper); },
                                    "fork the keeper of " + path));
  return PidFile(std::move(keeper), path);
}

void PidFile::take(const std::string& message) {
  const std::string text = message.substr(1);
  switch (message[0]) {
    case kOwner:
      owner_ = text;
      removed_ = true;  // it was never ours
      break;
    case kClaimed: break;
    case kWritten: settled_ = true; break;
    case kRemoved: removed_ = true; break;
    default: troubles_.push_back(text);
  }
  claimed_ = claimed_ || message[0] == kOwner || message[0] == kClaimed;
}

void PidFile::hear_until(Instant limit) {
  while (const auto message = keeper_.receive(limit)) {
    take(*message);
    if (claimed_ && !settled_) return;
  }
  settled_ = settled_ || keeper_.over();
}

std::string PidFile::wait_for_owner(Instant limit) {
  while (!claimed_ && !keeper_.over() && monotonic_now() < limit) hear_until(limit);
  if (!claimed_)
    troubles_.push_back(path_ + " does not answer: its PID file may come late or never");
  return owner_;
}

void PidFile::write(int trainer) { keeper_.send(message(kWrite, std::to_string(trainer))); }

void PidFile::remove() {
  settled_ = true;
  keeper_.send(message(kRemove));
}

std::vector<std::string> PidFile::troubles() {
  const bool late = !claimed_;
  hear_until(monotonic_now());
  if (late && !owner_.empty()) {
    troubles_.push_back(path_ + " belongs to " + owner_ + ": it is left as it is");
    owner_.clear();
  }
  return std::exchange(troubles_, {});
}

void PidFile::close(Instant limit) {
  if (!keeper_.over()) remove();
  keeper_.say_no_more();
  while (!keeper_.over() && monotonic_now() < limit) hear_until(limit);
  if (keeper_.over()) keeper_.reap();
  if (!removed_ && claimed_) troubles_.push_back(path_ + " could not be removed");
}

}  // namespace pw
