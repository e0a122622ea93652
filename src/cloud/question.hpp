#pragma once
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "core/cloud_notice.hpp"
#include "core/cloud_source.hpp"
#include "core/result.hpp"

namespace pw {

/// One thing that is asked again and again, and how often: what cloud/watcher is made of.
struct CloudQuestion {
  std::function<CloudAnswer()> ask;  ///< blocks, within limits of its own
  Nanos poll{0};                     ///< from question to question, at least
  Nanos pause{0};                    ///< at most, after no answer
  /// The work is saved: tells the cloud, if it wants to know; why it could not be told, or empty.
  std::function<std::string()> saved;
  std::function<int()> wake;  ///< a descriptor that is readable when to ask at once, or -1
};

/// For these: the source's own endpoint, else what the variable says (null: there is none), else
/// the usual one. The error names the place and the text.
Result<Endpoint> endpoint_of(const CloudSource& source, const char* variable, const char* usual);

/// The wall clock, which a notice's time is compared with.
Nanos since_1970();

/// Of EC2's instance metadata service, version 2 only: a session token for every question, a new
/// one at 80 % of its life and, once, where it is refused. Honours
/// AWS_EC2_METADATA_SERVICE_ENDPOINT, AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE and
/// AWS_EC2_METADATA_DISABLED, as AWS's SDKs do; the error says what is wrong with them.
Result<std::vector<CloudQuestion>> ec2_questions(const CloudSource& source);

/// Of Google's metadata server: `preempted` and `maintenance-event`, each asked plainly first, then
/// by a request that waits for a change. Honours GCE_METADATA_HOST, as Google's libraries do.
Result<std::vector<CloudQuestion>> gce_questions(const CloudSource& source);

/// Azure's Scheduled Events, of this machine only.
Result<std::vector<CloudQuestion>> azure_questions(const CloudSource& source);

/// A file: absent it is no notice; empty, as while it is written anew, it says what it said before.
Result<std::vector<CloudQuestion>> file_questions(const CloudSource& source);

}  // namespace pw
