#include <utility>

#include "cloud/http.hpp"
#include "cloud/question.hpp"

namespace pw {
namespace {

constexpr const char* kAddress = "http://169.254.169.254";
constexpr const char* kHost = "metadata.google.internal";
constexpr const char* kFlavor = "Metadata-Flavor";
// The request waits so long for a change, then comes back with what is.
// A connection that has died without a word hides a change no longer than that.
constexpr Nanos kHangs = Seconds(20);
// The first one, also after trouble: that it answers at all is known soon.
constexpr Nanos kShortHang = Seconds(1);
constexpr Nanos kHangLimit = Seconds(25);
// A server that does not wait must not be asked without a break.
constexpr Nanos kLeastApart = Millis(100);
constexpr Nanos kPause = Seconds(1);  // 503 may come at any time (taskcluster#6806)

class Gce {
 public:
  using Judge = std::function<CloudAnswer(const std::string& body)>;
  Gce(Endpoint endpoint, std::string key, Judge judge)
      : endpoint_(std::move(endpoint)), key_(std::move(key)), judge_(std::move(judge)) {}

  // Plainly first: what has changed between two requests that wait, without the state of before,
  // would be lost.
  CloudAnswer look() {
    HttpRequest get;
    get.endpoint = endpoint_;
    get.host = kHost;
    get.target = "/computeMetadata/v1/instance/" + key_;
    get.fields = {{kFlavor, "Google"}};
    if (!etag_.empty()) {
      const Nanos hangs = steady_ ? kHangs : kShortHang;
      const auto seconds = std::chrono::duration_cast<Seconds>(hangs).count();
      get.target +=
          "?wait_for_change=true&timeout_sec=" + std::to_string(seconds) + "&last_etag=" + etag_;
      get.limit = kHangLimit;
    }
    const bool waits = !std::exchange(etag_, {}).empty();
    steady_ = false;
    const auto reply = pw::ask(get);
    if (!reply) return {{}, address_text(get) + " " + reply.error().text()};
    if (reply->status != 200) {
      return {{}, address_text(get) + " answers with status " + std::to_string(reply->status)};
    }
    // Another cloud, or a portal, at the same address.
    if (reply->field(kFlavor) != "Google") {
      return {{}, address_text(get) + " is not Google's: it lacks Metadata-Flavor: Google"};
    }
    CloudAnswer answer = judge_(reply->body);
    if (answer.known()) keep(reply->field("ETag"));
    steady_ = answer.known() && waits;
    return answer;
  }

 private:
  // It goes into the next address as it is.
  void keep(const std::string& etag) {
    const auto bad = etag.find_first_not_of(
        "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ-_.~");
    if (etag.size() <= 128 && bad == std::string::npos) etag_ = etag;
  }

  Endpoint endpoint_;
  std::string key_;
  Judge judge_;
  std::string etag_;
  bool steady_ = false;  // its last request that waited was answered
};

CloudQuestion question(const std::shared_ptr<Gce>& gce, Nanos pause) {
  return {.ask = [gce] { return gce->look(); }, .poll = kLeastApart, .pause = pause};
}

}  // namespace

Result<std::vector<CloudQuestion>> gce_questions(const CloudSource& source) {
  PW_TRY(const Endpoint endpoint, endpoint_of(source, "GCE_METADATA_HOST", kAddress));
  const Nanos pause = source.poll.value_or(kPause);
  const Nanos notice = source.notice;
  const auto judge = [notice](const std::string& body) {
    return judge_gce_preempted(body, notice);
  };
  return std::vector{
      question(std::make_shared<Gce>(endpoint, "preempted", judge), pause),
      question(std::make_shared<Gce>(endpoint, "maintenance-event", judge_gce_maintenance), pause)};
}

}  // namespace pw
