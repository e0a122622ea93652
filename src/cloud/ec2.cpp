#include <algorithm>

#include "cloud/http.hpp"
#include "cloud/json.hpp"
#include "cloud/question.hpp"
#include "config/environment.hpp"
#include "core/number.hpp"
#include "core/text.hpp"
#include "os/clock.hpp"

namespace pw {
namespace {

constexpr const char* kV4 = "http://169.254.169.254";
constexpr const char* kV6 = "http://[fd00:ec2::254]";
constexpr Nanos kPoll = Seconds(5);          // AWS: "we recommend that you check every 5 seconds"
constexpr std::int64_t kTokenLife = 21'600;  // seconds; the longest that is given
constexpr const char* kTokenLifeField = "X-aws-ec2-metadata-token-ttl-seconds";
constexpr const char* kTokenField = "X-aws-ec2-metadata-token";

class Ec2 {
 public:
  explicit Ec2(Endpoint endpoint) : endpoint_(std::move(endpoint)) {}

  CloudAnswer look() {
    CloudAnswer answer;
    const auto action = read("/latest/meta-data/spot/instance-action");
    if (!action) return unknown(action.error());
    if (!action->empty()) {
      const auto fields = ec2_action_in(*action);
      if (!fields) return unknown({"instance-action " + fields.error().what, {}});
      answer.notices.push_back(judge_ec2_action(*fields, since_1970()));
    }
    const auto advice = read("/latest/meta-data/events/recommendations/rebalance");
    if (!advice) return partly(std::move(answer), advice.error());
    if (!advice->empty()) {
      const auto time = ec2_rebalance_in(*advice);
      if (!time) return partly(std::move(answer), {"rebalance " + time.error().what, {}});
      answer.notices.push_back(judge_ec2_rebalance(*time));
    }
    return answer;
  }

 private:
  static CloudAnswer unknown(const Error& error) { return {{}, error.text()}; }
  // A notice counts, whatever else cannot be had.
  static CloudAnswer partly(CloudAnswer answer, const Error& error) {
    return answer.notices.empty() ? unknown(error) : answer;
  }

  HttpRequest request(const std::string& target) const {
    HttpRequest request;
    request.endpoint = endpoint_;
    request.target = target;
    return request;
  }

  Result<void> renew_token() {
    HttpRequest put = request("/latest/api/token");
    put.method = HttpRequest::Method::put;
    put.fields = {{kTokenLifeField, std::to_string(kTokenLife)}};
    token_.clear();
    const Instant asked = monotonic_now();
    const auto reply = pw::ask(put);
    if (!reply) return Error{address_text(put) + " " + reply.error().text(), {}};
    const std::string token(trimmed(reply->body));
    if (reply->status != 200) {
      return Error{address_text(put) + " gives no token: status " + std::to_string(reply->status),
                   {}};
    }
    const bool printable =
        std::all_of(token.begin(), token.end(), [](char c) { return c > ' ' && c <= '~'; });
    if (token.empty() || token.size() > 1024 || !printable) {
      return Error{address_text(put) + " gives no token, but something else", {}};
    }
    token_ = token;
    const auto life = parse_number(reply->field(kTokenLifeField));
    const std::int64_t seconds = life ? std::clamp<std::int64_t>(*life, 1, kTokenLife) : kTokenLife;
    renew_at_ = asked + Nanos(Seconds(seconds)) / 10 * 8;
    return {};
  }

  // The document; empty: there is none (404).
  Result<std::string> read(const std::string& target) {
    HttpRequest get = request(target);
    bool fresh = false;
    if (token_.empty() || monotonic_now() >= renew_at_) {
      if (const auto renewed = renew_token(); !renewed) return renewed.error();
      fresh = true;
    }
    for (;;) {
      get.fields = {{kTokenField, token_}};
      const auto reply = pw::ask(get);
      if (!reply) return Error{address_text(get) + " " + reply.error().text(), {}};
      if (reply->status == 200) return reply->body;
      if (reply->status == 404) return std::string();
      const Error refused{
          address_text(get) + " answers with status " + std::to_string(reply->status), {}};
      if (reply->status != 401 || fresh) {
        if (reply->status == 401) token_.clear();
        return refused;
      }
      if (const auto renewed = renew_token(); !renewed) return renewed.error();
      fresh = true;
    }
  }

  Endpoint endpoint_;
  std::string token_;
  Instant renew_at_{};
};

const char* usual_address() {
  const std::string mode = environment_value("AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE");
  return upper_case(mode) == "IPV6" ? kV6 : kV4;
}

}  // namespace

Result<std::vector<CloudQuestion>> ec2_questions(const CloudSource& source) {
  if (upper_case(environment_value("AWS_EC2_METADATA_DISABLED")) == "TRUE") {
    return Error{"AWS_EC2_METADATA_DISABLED is true", {}};
  }
  PW_TRY(Endpoint endpoint,
         endpoint_of(source, "AWS_EC2_METADATA_SERVICE_ENDPOINT", usual_address()));
  const auto ec2 = std::make_shared<Ec2>(std::move(endpoint));
  const Nanos poll = source.poll.value_or(kPoll);
  return std::vector{
      CloudQuestion{.ask = [ec2] { return ec2->look(); }, .poll = poll, .pause = poll}};
}

}  // namespace pw
