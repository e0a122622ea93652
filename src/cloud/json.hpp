#pragma once
#include <string>
#include <vector>

#include "core/cloud_notice.hpp"
#include "core/result.hpp"

namespace pw {

/// JSON documents as plain fields, which core/cloud_notice judges. The only file with Boost.JSON.
/// What is missing is empty; the error says what the text is not, for a sentence: "is no JSON".

Result<Ec2Action> ec2_action_in(const std::string& text);
Result<std::string> ec2_rebalance_in(const std::string& text);  ///< its noticeTime
Result<std::vector<AzureEvent>> azure_events_in(const std::string& text);
Result<NoticeDocument> notice_document_in(const std::string& text);

/// What Azure is told when the work is saved: the event may begin.
std::string azure_approval(const std::string& event_id);

}  // namespace pw
