#include "core/cloud_source.hpp"

#include <algorithm>
#include <array>
#include <utility>
#include <vector>

#include "core/duration.hpp"
#include "core/number.hpp"
#include "core/text.hpp"

namespace pw {
namespace {

using Kind = CloudSource::Kind;

// The services throttle who asks more often than this.
constexpr Nanos kPollLeast = Millis(100);
constexpr Nanos kPollMost = std::chrono::hours(1);
constexpr Nanos kNoticeMost = std::chrono::hours(1);

constexpr std::array<std::pair<std::string_view, Kind>, 5> kWords{{{"none", Kind::none},
                                                                   {"auto", Kind::automatic},
                                                                   {"ec2", Kind::ec2},
                                                                   {"gce", Kind::gce},
                                                                   {"azure", Kind::azure}}};

// What people call them.
constexpr std::array<std::pair<std::string_view, std::string_view>, 4> kOtherNames{
    {{"aws", "ec2"}, {"amazon", "ec2"}, {"gcp", "gce"}, {"google", "gce"}}};

std::string meant(std::string_view name) {
  for (const auto& [other, ours] : kOtherNames) {
    if (upper_case(name) == upper_case(other))
      return " (did you mean \"" + std::string(ours) + "\"?)";
  }
  std::vector<std::string> known;
  for (const auto& [ours, kind] : kWords) known.emplace_back(ours);
  return did_you_mean(name, known);
}

Error quoted(std::string_view text, const std::string& what) {
  return {"\"" + std::string(text) + "\" " + what, {}};
}

std::string take_duration(std::string_view text, Nanos least, Nanos most,
                          std::optional<Nanos>& into) {
  into = parse_duration(text);
  if (into && *into >= least && *into <= most) return "";
  return "is no duration from " + spoken(least) + " to " + spoken(most);
}

// What is wrong with it, as the end of a sentence.
std::string take(CloudSource& source, std::string_view key, std::string_view value) {
  if (key == "poll") return take_duration(value, kPollLeast, kPollMost, source.poll);
  if (key == "endpoint") {
    const auto endpoint = parse_endpoint(value);
    source.endpoint = value;
    return endpoint ? "" : endpoint.error().what;
  }
  if (key == "notice" && source.kind == Kind::gce) {
    std::optional<Nanos> notice;
    const std::string why = take_duration(value, Seconds(1), kNoticeMost, notice);
    source.notice = notice.value_or(source.notice);
    return why;
  }
  if (key == "ack" && source.kind == Kind::azure) {
    source.acknowledge = value == "yes";
    return value == "yes" || value == "no" ? "" : "is neither yes nor no";
  }
  if (key == "advice") {
    source.relay_advice = value == "relay";
    return value == "relay" || value == "log" ? "" : "is neither relay nor log";
  }
  return "is no option of " + std::string(cloud_word(source.kind));
}

bool is_v4(std::string_view text) {
  const auto parts = split(text, '.');
  return parts.size() == 4 && std::all_of(parts.begin(), parts.end(), [](std::string_view part) {
           const auto number = parse_number(part);
           return number && *number <= 255 && part.size() <= 3;
         });
}

// Roughly: whoever connects finds out the rest.
bool is_address(std::string_view text, bool v6) {
  if (!v6) return is_v4(text);
  return text.find(':') != std::string_view::npos &&
         text.find_first_not_of("0123456789abcdefABCDEF:.") == std::string_view::npos;
}

}  // namespace

std::string_view cloud_word(Kind kind) {
  if (kind == Kind::file) return "file";
  const auto found = std::find_if(kWords.begin(), kWords.end(),
                                  [kind](const auto& word) { return word.second == kind; });
  return found == kWords.end() ? "" : found->first;
}

Result<CloudSource> parse_cloud_source(std::string_view text) {
  CloudSource source;
  const auto colon = text.find(':');
  const std::string_view name = text.substr(0, colon);
  const std::string_view rest = colon == std::string_view::npos ? "" : text.substr(colon + 1);
  if (name == "file") {
    if (rest.empty()) return quoted(text, "names no file (file:PATH)");
    for (const std::string_view key : {",poll=", ",endpoint=", ",advice="}) {
      if (rest.find(key) != std::string_view::npos) return quoted(text, "a file has no options");
    }
    if (rest.starts_with("~/")) {
      return quoted(text, "has a ~ that no shell has replaced ($HOME)");
    }
    source.kind = Kind::file;
    source.path = rest;
    return source;
  }
  const auto word = std::find_if(kWords.begin(), kWords.end(),
                                 [name](const auto& known) { return known.first == name; });
  if (word == kWords.end()) {
    return quoted(name, "is none of none, auto, ec2, gce, azure, file:PATH" + meant(name));
  }
  source.kind = word->second;
  if (source.kind == Kind::none && !rest.empty())
    return quoted(text, "asks nobody, so nothing else");
  for (const std::string_view item : split(rest, ',')) {
    const auto equals = item.find('=');
    if (equals == std::string_view::npos) return quoted(item, "is not KEY=VALUE");
    const std::string why = take(source, item.substr(0, equals), item.substr(equals + 1));
    if (!why.empty()) return quoted(item, why);
  }
  return source;
}

Result<Endpoint> parse_endpoint(std::string_view text) {
  constexpr std::string_view kScheme = "http://";
  if (text.starts_with("https://")) return Error{"is not http: a metadata service has no TLS", {}};
  if (text.starts_with(kScheme)) text.remove_prefix(kScheme.size());
  if (text.ends_with('/')) text.remove_suffix(1);
  Endpoint endpoint;
  const bool v6 = text.starts_with('[');
  const auto end = v6 ? text.find(']') : text.find(':');
  if (v6 && end == std::string_view::npos) return Error{"has no closing bracket", {}};
  const std::string_view host = v6 ? text.substr(1, end - 1) : text.substr(0, end);
  endpoint.address = host;
  if (host == "metadata.google.internal") endpoint.address = "169.254.169.254";
  if (host == "localhost") endpoint.address = "127.0.0.1";
  if (!is_address(endpoint.address, v6)) {
    return Error{"is no address in numbers (http://169.254.169.254, http://[fd00:ec2::254])", {}};
  }
  std::string_view port = end == std::string_view::npos ? "" : text.substr(v6 ? end + 1 : end);
  if (port.empty()) return endpoint;
  const auto number = port.starts_with(':') ? parse_number(port.substr(1)) : std::nullopt;
  if (!number || *number < 1 || *number > 65535) return Error{"ends in no port number", {}};
  endpoint.port = static_cast<int>(*number);
  return endpoint;
}

CloudSource::Kind cloud_of(const Firmware& firmware) {
  // Xen instances say it in the BIOS version: "4.11.amazon".
  if (firmware.system_vendor == "Amazon EC2" || firmware.bios_vendor == "Amazon EC2" ||
      firmware.bios_version.find("amazon") != std::string::npos) {
    return Kind::ec2;
  }
  if (firmware.product_name == "Google Compute Engine") return Kind::gce;
  // Other virtual machines of Microsoft's have another tag.
  if (firmware.chassis_asset_tag == "7783-7084-3265-9085-8269-3286-77") return Kind::azure;
  return Kind::none;
}

}  // namespace pw
