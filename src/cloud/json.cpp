#include "cloud/json.hpp"

#include <boost/json/src.hpp>

namespace pw {
namespace {

namespace json = boost::json;

Result<json::object> object_in(const std::string& text) {
  boost::system::error_code error;
  json::value value = json::parse(text, error);
  if (error) return Error{"is no JSON", {}};
  if (!value.is_object()) return Error{"is JSON, but no object", {}};
  return std::move(value.get_object());
}

std::string string_of(const json::object& object, const char* key) {
  const json::value* const value = object.if_contains(key);
  return value != nullptr && value->is_string() ? std::string(value->get_string()) : "";
}

AzureEvent event_of(const json::object& object) {
  AzureEvent event{.id = string_of(object, "EventId"),
                   .type = string_of(object, "EventType"),
                   .status = string_of(object, "EventStatus"),
                   .not_before = string_of(object, "NotBefore"),
                   .resources = {}};
  const json::value* const resources = object.if_contains("Resources");
  if (resources == nullptr || !resources->is_array()) return event;
  for (const json::value& name : resources->get_array()) {
    if (name.is_string()) event.resources.emplace_back(name.get_string());
  }
  return event;
}

}  // namespace

Result<Ec2Action> ec2_action_in(const std::string& text) {
  PW_TRY(const json::object object, object_in(text));
  Ec2Action action{string_of(object, "action"), string_of(object, "time")};
  if (action.action.empty()) return Error{"is JSON without an action", {}};
  return action;
}

Result<std::string> ec2_rebalance_in(const std::string& text) {
  PW_TRY(const json::object object, object_in(text));
  std::string time = string_of(object, "noticeTime");
  if (time.empty()) return Error{"is JSON without a noticeTime", {}};
  return time;
}

Result<std::vector<AzureEvent>> azure_events_in(const std::string& text) {
  PW_TRY(const json::object object, object_in(text));
  const json::value* const events = object.if_contains("Events");
  if (events == nullptr || !events->is_array()) return Error{"is JSON without Events", {}};
  std::vector<AzureEvent> found;
  for (const json::value& event : events->get_array()) {
    if (event.is_object()) found.push_back(event_of(event.get_object()));
  }
  return found;
}

Result<NoticeDocument> notice_document_in(const std::string& text) {
  PW_TRY(const json::object object, object_in(text));
  NoticeDocument document{.action = string_of(object, "action"),
                          .time = string_of(object, "time"),
                          .id = string_of(object, "id")};
  if (document.action.empty()) return Error{"is JSON without an action", {}};
  const json::value* const advice = object.if_contains("advice");
  document.advice = advice != nullptr && advice->is_bool() && advice->get_bool();
  return document;
}

std::string azure_approval(const std::string& event_id) {
  return json::serialize(
      json::object{{"StartRequests", json::array{json::object{{"EventId", event_id}}}}});
}

}  // namespace pw
