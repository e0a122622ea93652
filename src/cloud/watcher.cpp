#include "cloud/watcher.hpp"

#include <poll.h>
#include <sys/prctl.h>

#include <array>
#include <csignal>
#include <fstream>

#include "cloud/question.hpp"
#include "core/cloud_message.hpp"
#include "core/duration.hpp"
#include "core/text.hpp"
#include "os/clock.hpp"

namespace pw {
namespace {

constexpr std::string_view kSaved = "saved";
constexpr Nanos kRestart = Seconds(1);

Result<std::vector<CloudQuestion>> questions_of(const CloudSource& source) {
  switch (source.kind) {
    case CloudSource::Kind::ec2: return ec2_questions(source);
    case CloudSource::Kind::gce: return gce_questions(source);
    case CloudSource::Kind::azure: return azure_questions(source);
    case CloudSource::Kind::file: return file_questions(source);
    default: break;
  }
  return Error{"this machine is none of EC2, Google Compute Engine and Azure (--cloud auto)", {}};
}

std::string firmware(const char* name) {
  std::ifstream file(std::string("/sys/class/dmi/id/") + name);
  std::string line;
  std::getline(file, line);
  return std::string(trimmed(line));
}

// Until it is time for the next question; false when nobody listens any more.
bool wait(int socket, const CloudQuestion& question, Instant until) {
  for (;;) {
    const int wake = question.wake ? question.wake() : -1;
    std::array<pollfd, 2> polled{{{.fd = socket, .events = POLLIN, .revents = 0},
                                  {.fd = wake, .events = POLLIN, .revents = 0}}};
    const auto timeout = timeout_until(until);
    const int ready = ppoll(polled.data(), polled.size(), &*timeout, nullptr);
    if (ready == 0 || (polled[0].revents == 0 && polled[1].revents != 0)) return true;
    if (polled[0].revents == 0) continue;
    const auto word = receive_message(socket);
    if (!word) return false;
    if (*word != kSaved) continue;
    const std::string trouble = question.saved ? question.saved() : "";
    send_message(socket, std::string(kSaved) + trouble);
  }
}

void go_on_asking(int socket, const CloudQuestion& question) {
  // A request may wait for a change; whoever asked may be gone by then.
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  NoticeWatch watch(question.poll, question.pause);
  bool leaves = false;
  for (;;) {
    const Instant asked = monotonic_now();
    const CloudAnswer answer = question.ask();
    const NoticeWatch::News news = watch.take(answer, asked, monotonic_now());
    const bool silent = news.notices.empty() && news.trouble.empty() && !news.answers &&
                        !news.withdrawn && (!news.known || news.leaves == leaves);
    if (answer.known()) leaves = news.leaves;
    if (!silent) send_message(socket, encode(news));
    if (!wait(socket, question, watch.next())) return;
  }
}

}  // namespace

CloudSource resolved(CloudSource source) {
  if (source.kind != CloudSource::Kind::automatic) return source;
  source.kind = cloud_of({.system_vendor = firmware("sys_vendor"),
                          .product_name = firmware("product_name"),
                          .bios_vendor = firmware("bios_vendor"),
                          .bios_version = firmware("bios_version"),
                          .chassis_asset_tag = firmware("chassis_asset_tag")});
  return source;
}

// Where no process can be had now, one can a second later; what is wrong with the settings stays
// so.
Result<CloudWatcher> CloudWatcher::start(const CloudSource& source) {
  PW_TRY([[maybe_unused]] const auto questions, questions_of(source));
  CloudWatcher watcher(source);
  if (!watcher.open()) watcher.restart_at_ = monotonic_now() + kRestart;
  return watcher;
}

// All of them or none: half of them asks twice after the next try.
Result<void> CloudWatcher::open() {
  PW_TRY(const auto questions, questions_of(source_));
  std::vector<Aside> asking;
  for (const CloudQuestion& question : questions) {
    const auto work = [&question](int socket) { go_on_asking(socket, question); };
    PW_TRY(Aside aside, Aside::start(work, "fork a process that asks the cloud"));
    asking.push_back(std::move(aside));
  }
  asking_.swap(asking);
  return {};
}

std::vector<CloudWatcher::News> CloudWatcher::hear() {
  std::vector<News> all;
  bool died = false;
  for (std::size_t asker = 0; asker < asking_.size(); ++asker) {
    while (const auto line = asking_[asker].receive(Instant{})) {
      if (auto news = parse_cloud_news(*line)) all.push_back({std::move(*news), asker});
    }
    died = died || asking_[asker].over();
  }
  const Instant now = monotonic_now();
  if (restart_at_ && now >= *restart_at_) {
    restart_at_.reset();
    if (const auto opened = open(); !opened) {
      all.push_back({{.trouble = opened.error().text()}});
      restart_at_ = now + kRestart;
    }
  } else if (died && !restart_at_) {
    asking_.clear();
    all.push_back({{.trouble = "the process that asks has died"}});
    restart_at_ = now + kRestart;
  }
  return all;
}

void CloudWatcher::add_fds(std::vector<int>& fds) const {
  for (const Aside& aside : asking_) {
    if (aside.fd() >= 0) fds.push_back(aside.fd());
  }
}

std::optional<std::string> CloudWatcher::saved(Nanos limit) {
  if (!source_.acknowledge) return {};
  std::string trouble;
  const Instant until = monotonic_now() + limit;
  for (Aside& aside : asking_) {
    auto word = aside.send(kSaved) ? aside.receive(until) : std::nullopt;
    while (word && !word->starts_with(kSaved)) word = aside.receive(until);
    trouble += word ? word->substr(kSaved.size()) : "it does not answer within " + spoken(limit);
  }
  return trouble;
}

std::vector<ProcessId> CloudWatcher::helpers() const {
  std::vector<ProcessId> ids;
  for (const Aside& aside : asking_) ids.push_back(aside.id());
  return ids;
}

}  // namespace pw
