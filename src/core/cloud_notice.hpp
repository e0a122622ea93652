#pragma once
#include <optional>
#include <string>
#include <vector>

#include "core/time.hpp"

namespace pw {

/// What a cloud says of this machine's end, judged by its fields alone: cloud/json takes them out
/// of the documents. All pure; `now` is the wall clock's time since 1970, which a notice's own time
/// is compared with once, at first sight.
struct CloudNotice {
  enum class Weight {
    advice,  ///< the machine may be taken away, or stands still for seconds
    save,    ///< its memory is kept (hibernation): save, but nobody need end
    leave,   ///< it ends
  };
  Weight weight = Weight::leave;
  std::string kind;             ///< the cloud's own word: "terminate", "preempted", "Preempt"
  std::string id;               ///< of the event, if it has one
  std::optional<Nanos> window;  ///< from now to the end; only where it leaves
  std::string remark;           ///< "its time is past": why the window is the cloud's usual one
  friend bool operator==(const CloudNotice&, const CloudNotice&) = default;
};

/// One answer: `trouble` says why it is none at all, and nothing is known then.
struct CloudAnswer {
  std::vector<CloudNotice> notices;
  std::string trouble;
  bool known() const { return trouble.empty(); }
};

/// Two minutes (AWS: "Spot Instance interruption notices").
inline constexpr Nanos kEc2Window = Seconds(120);
/// Google: up to 30 s, where preemptionNoticeDuration is not set; Azure: 30 s of a Preempt.
inline constexpr Nanos kShortWindow = Seconds(30);
/// Google: "maintenance-event changes 60 seconds before".
inline constexpr Nanos kGceMaintenance = Seconds(60);
/// The longest that Azure announces (Freeze, Reboot and a configured Terminate: 15 min).
inline constexpr Nanos kAzureMost = std::chrono::minutes(15);

/// spot/instance-action. An action that is not known is still a notice.
struct Ec2Action {
  std::string action;
  std::string time;
};
CloudNotice judge_ec2_action(const Ec2Action& action, Nanos now);

/// events/recommendations/rebalance.
CloudNotice judge_ec2_rebalance(const std::string& notice_time);

/// instance/preempted and instance/maintenance-event, the bodies; other words than the documented
/// ones are trouble.
CloudAnswer judge_gce_preempted(const std::string& body, Nanos notice);
CloudAnswer judge_gce_maintenance(const std::string& body);

/// One of Azure's Scheduled Events.
struct AzureEvent {
  std::string id;
  std::string type;
  std::string status;
  std::string not_before;
  std::vector<std::string> resources;
};
/// Events of other machines of the set, and those that are over, are none.
CloudAnswer judge_azure(const std::vector<AzureEvent>& events, const std::string& own_name,
                        Nanos now);

/// --cloud file:P.
struct NoticeDocument {
  std::string action;
  std::string time;
  std::string id;
  bool advice = false;
};
CloudNotice judge_document(const NoticeDocument& document, Nanos now);

}  // namespace pw
