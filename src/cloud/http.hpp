#pragma once
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/cloud_source.hpp"
#include "core/result.hpp"
#include "core/time.hpp"

namespace pw {

/// No answer of a metadata service is longer; what is, is none.
inline constexpr std::size_t kHttpBodyMax = 64 * 1024;

struct HttpRequest {
  enum class Method { get, put, post };
  Method method = Method::get;
  Endpoint endpoint;
  std::string host;    ///< of the Host field; empty: the address
  std::string target;  ///< "/latest/api/token"
  std::vector<std::pair<std::string, std::string>> fields;
  std::string body;
  Nanos connect_limit = Seconds(1);
  Nanos limit = Seconds(2);  ///< of the whole, the connecting included
};

struct HttpReply {
  unsigned status = 0;
  std::vector<std::pair<std::string, std::string>> fields;
  std::string body;  ///< only of a 200; the others' are not read
  /// The field's value, whatever the case of its name; empty if it is not there.
  std::string field(std::string_view name) const;
};

/// One question to a metadata service, on a connection of its own: no proxy, no redirect, no name
/// resolved, bounded in time and size. Blocks for at most `limit`; cloud/watcher calls it in a
/// process of its own. The error is what the answer is not: "does not answer within 2 s".
Result<HttpReply> ask(const HttpRequest& request);

/// "http://169.254.169.254/latest/api/token", for a sentence.
std::string address_text(const HttpRequest& request);

}  // namespace pw
