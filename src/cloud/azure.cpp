
#include "cloud/http.hpp"
#include "cloud/json.hpp"
#include "cloud/question.hpp"
#include "core/text.hpp"

namespace pw {
namespace {

constexpr const char* kAddress = "http://169.254.169.254";
constexpr const char* kEvents = "/metadata/scheduledevents?api-version=2020-07-01";
// The whole document may hold 64 kB of user data.
constexpr const char* kMachine =
    "/metadata/instance/compute/name?api-version=2021-02-01&format=text";
constexpr std::size_t kNameMost = 256;
constexpr Nanos kPoll = Seconds(1);     // Microsoft: "once per second"
constexpr Nanos kFirst = Seconds(130);  // the first call turns the service on: up to two minutes
constexpr Nanos kLater = Seconds(5);    // 1 s was too little (aks-node-termination-handler#73)

class Azure {
 public:
  Azure(Endpoint endpoint, bool acknowledges)
      : endpoint_(std::move(endpoint)), acknowledges_(acknowledges) {}

  CloudAnswer look() {
    if (name_.empty()) {
      const auto machine = read(kMachine, kLater);
      if (!machine) return {{}, machine.error().text()};
      const std::string name(trimmed(*machine));
      const bool known = name.find_first_not_of(
                             "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ-_.") ==
                         std::string::npos;
      if (name.empty() || name.size() > kNameMost || !known) {
        return {{}, "instance/compute/name is no name"};
      }
      name_ = name;
    }
    const auto document = read(kEvents, turned_on_ ? kLater : kFirst);
    if (!document) return {{}, document.error().text()};
    turned_on_ = true;
    const auto events = azure_events_in(*document);
    if (!events) return {{}, "scheduledevents " + events.error().what};
    event_.clear();
    CloudAnswer answer = judge_azure(*events, name_, since_1970());
    for (const CloudNotice& notice : answer.notices) {
      if (notice.weight == CloudNotice::Weight::leave) event_ = notice.id;
    }
    return answer;
  }

  // The event need not wait for its time any more.
  std::string acknowledge() const {
    if (!acknowledges_ || event_.empty()) return "";
    HttpRequest post = request(kEvents);
    post.method = HttpRequest::Method::post;
    post.body = azure_approval(event_);
    post.fields.emplace_back("Content-Type", "application/json");
    const auto reply = pw::ask(post);
    if (!reply) return address_text(post) + " " + reply.error().text();
    if (reply->status / 100 == 2) return "";
    return address_text(post) + " answers with status " + std::to_string(reply->status);
  }

 private:
  HttpRequest request(const char* target) const {
    HttpRequest request;
    request.endpoint = endpoint_;
    request.target = target;
    request.fields = {{"Metadata", "true"}};
    return request;
  }

  Result<std::string> read(const char* target, Nanos limit) const {
    HttpRequest get = request(target);
    get.limit = limit;
    const auto reply = pw::ask(get);
    if (!reply) return Error{address_text(get) + " " + reply.error().text(), {}};
    if (reply->status == 200) return reply->body;
    return Error{address_text(get) + " answers with status " + std::to_string(reply->status), {}};
  }

  Endpoint endpoint_;
  bool acknowledges_;
  bool turned_on_ = false;
  std::string name_;
  std::string event_;
};

}  // namespace

Result<std::vector<CloudQuestion>> azure_questions(const CloudSource& source) {
  PW_TRY(Endpoint endpoint, endpoint_of(source, nullptr, kAddress));
  const auto azure = std::make_shared<Azure>(std::move(endpoint), source.acknowledge);
  const Nanos poll = source.poll.value_or(kPoll);
  return std::vector{CloudQuestion{.ask = [azure] { return azure->look(); },
                                   .poll = poll,
                                   .pause = poll,
                                   .saved = [azure] { return azure->acknowledge(); }}};
}

}  // namespace pw
