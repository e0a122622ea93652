#pragma once
#include <optional>
#include <string>
#include <string_view>

#include "core/result.hpp"
#include "core/time.hpp"

namespace pw {

/// --cloud: whom to ask whether the machine is to be taken away, and how.
struct CloudSource {
  enum class Kind { none, automatic, ec2, gce, azure, file };
  Kind kind = Kind::none;
  std::string path;            ///< of a file
  std::string endpoint;        ///< "http://127.0.0.1:1338"; empty: the cloud's own
  std::optional<Nanos> poll;   ///< nothing: the cloud's own interval
  Nanos notice = Seconds(30);  ///< gce: how long before its end a VM is told
  bool acknowledge = false;    ///< azure: say when the work is saved
  bool relay_advice = false;   ///< what need not end the run is told to the trainer, too
  friend bool operator==(const CloudSource&, const CloudSource&) = default;
};

/// `ec2`, `gce:notice=120s,poll=1s`, `file:/run/notice`; the error is a whole complaint.
Result<CloudSource> parse_cloud_source(std::string_view text);

std::string_view cloud_word(CloudSource::Kind kind);

/// Where a metadata service is asked: an address as a number, never a name, so that no resolver and
/// no proxy has a word in it.
struct Endpoint {
  std::string address;  ///< without brackets
  int port = 80;
  friend bool operator==(const Endpoint&, const Endpoint&) = default;
};

/// `http://169.254.169.254`, `http://[fd00:ec2::254]:80/`, `127.0.0.1:8080`. The names
/// metadata.google.internal and localhost stand for their well-known addresses. The error's `what`
/// is the end of a sentence that begins with the text.
Result<Endpoint> parse_endpoint(std::string_view text);

/// What the firmware says of the machine: /sys/class/dmi/id.
struct Firmware {
  std::string system_vendor;
  std::string product_name;
  std::string bios_vendor;
  std::string bios_version;
  std::string chassis_asset_tag;
};

/// --cloud auto, without asking any network; none if it is no machine of these clouds.
CloudSource::Kind cloud_of(const Firmware& firmware);

}  // namespace pw
