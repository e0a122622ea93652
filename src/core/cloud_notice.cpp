#include "core/cloud_notice.hpp"

#include <algorithm>
#include <string_view>

#include "core/text.hpp"
#include "core/utc_time.hpp"

namespace pw {
namespace {

using Weight = CloudNotice::Weight;

// It begins at once, without the two minutes; the memory is written to disk and comes back.
constexpr std::string_view kHibernate = "hibernate";

// A clock that is a little behind makes no time absurd.
constexpr Nanos kClocksApart = Seconds(30);

// A well-formed notice whose time is past, absurd or none is still one: the machine goes, and the
// clock that says so may be wrong, ours or theirs.
void set_window(CloudNotice& notice, const std::string& time, Nanos now, Nanos usual, Nanos most) {
  const auto at = parse_utc_time(time);
  notice.window = usual;
  if (!at) {
    notice.remark = time.empty() ? "it names no time" : "its time is no time";
  } else if (*at <= now) {
    notice.remark = "its time is past";
  } else if (*at - now > most + kClocksApart) {
    notice.remark = "its time is further away than any notice of this cloud";
  } else {
    notice.window = std::min(*at - now, most);
  }
}

std::string without_line_end(const std::string& body) { return std::string(trimmed(body)); }

CloudAnswer unknown_word(const std::string& what, const std::string& body) {
  return {{}, what + " is neither of the words that are known: \"" + body.substr(0, 40) + "\""};
}

}  // namespace

CloudNotice judge_ec2_action(const Ec2Action& action, Nanos now) {
  CloudNotice notice{.weight = Weight::leave, .kind = action.action};
  if (action.action == kHibernate) {
    notice.weight = Weight::save;
    return notice;
  }
  set_window(notice, action.time, now, kEc2Window, kEc2Window);
  return notice;
}

// Often nothing follows, or hours later (aws-node-termination-handler#141).
CloudNotice judge_ec2_rebalance(const std::string& notice_time) {
  return {.weight = Weight::advice, .kind = "rebalance", .id = notice_time};
}

CloudAnswer judge_gce_preempted(const std::string& body, Nanos notice) {
  const std::string word = without_line_end(body);
  if (word == "FALSE") return {};
  if (word != "TRUE") return unknown_word("preempted", word);
  return {{{.weight = Weight::leave, .kind = "preempted", .window = notice}}, ""};
}

CloudAnswer judge_gce_maintenance(const std::string& body) {
  const std::string word = without_line_end(body);
  if (word == "NONE") return {};
  // Live migration: it stands still for less than a second.
  if (word == "MIGRATE_ON_HOST_MAINTENANCE") {
    return {{{.weight = Weight::advice, .kind = "maintenance, by migration"}}, ""};
  }
  if (word != "TERMINATE_ON_HOST_MAINTENANCE") return unknown_word("maintenance-event", word);
  return {{{.weight = Weight::leave, .kind = "maintenance", .window = kGceMaintenance}}, ""};
}

CloudAnswer judge_azure(const std::vector<AzureEvent>& events, const std::string& own_name,
                        Nanos now) {
  CloudAnswer answer;
  const std::string us = upper_case(own_name);
  for (const AzureEvent& event : events) {
    const bool ours = std::any_of(event.resources.begin(), event.resources.end(),
                                  [&](const auto& name) { return upper_case(name) == us; });
    if (!ours || us.empty() || event.status == "Completed" || event.status == "Canceled") continue;
    CloudNotice notice{.weight = Weight::leave, .kind = event.type, .id = event.id};
    if (event.type == "Freeze") {
      notice.weight = Weight::advice;  // it stands still for seconds and goes on
    } else {
      const bool begun = event.status == "Started" && event.not_before.empty();
      set_window(notice, event.not_before, now, kShortWindow, kAzureMost);
      if (begun) notice.remark = "it has begun already";
    }
    answer.notices.push_back(notice);
  }
  return answer;
}

CloudNotice judge_document(const NoticeDocument& document, Nanos now) {
  CloudNotice notice{.weight = Weight::leave, .kind = document.action, .id = document.id};
  if (document.advice) {
    notice.weight = Weight::advice;
  } else if (document.action == kHibernate) {
    notice.weight = Weight::save;
  } else {
    set_window(notice, document.time, now, kShortWindow, kAzureMost);
    // Somebody's own word, and no clock that goes wrong: sooner than said, but no sooner than that.
    const auto at = parse_utc_time(document.time);
    if (at && *at - now > kAzureMost) notice.window = kAzureMost;
  }
  return notice;
}

}  // namespace pw
