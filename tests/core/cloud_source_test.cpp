#include "core/cloud_source.hpp"

#include <doctest/doctest.h>

using namespace pw;
using namespace std::chrono_literals;
using Kind = CloudSource::Kind;

TEST_CASE("whom to ask, and how") {
  struct Row {
    const char* text;
    CloudSource means;
  };
  const Row rows[] = {
      {"none", {.kind = Kind::none}},
      {"auto", {.kind = Kind::automatic}},
      {"auto:poll=2s", {.kind = Kind::automatic, .poll = Nanos(2s)}},
      {"ec2", {.kind = Kind::ec2}},
      {"ec2:", {.kind = Kind::ec2}},
      {"gce:notice=120s", {.kind = Kind::gce, .notice = 120s}},
      {"azure:ack=yes,advice=relay",
       {.kind = Kind::azure, .acknowledge = true, .relay_advice = true}},
      {"ec2:endpoint=http://[fd00:ec2::254],poll=250ms",
       {.kind = Kind::ec2, .endpoint = "http://[fd00:ec2::254]", .poll = Nanos(250ms)}},
      {"file:/run/a,b:c=d", {.kind = Kind::file, .path = "/run/a,b:c=d"}},
  };
  for (const Row& row : rows) {
    CAPTURE(row.text);
    const auto source = parse_cloud_source(row.text);
    REQUIRE(source.has_value());
    CHECK(*source == row.means);
  }
}

TEST_CASE("what is no source is told in one line") {
  struct Row {
    const char* text;
    const char* complaint;
  };
  const Row rows[] = {
      {"", "\"\" is none of none, auto, ec2, gce, azure, file:PATH"},
      {"mars", "\"mars\" is none of none, auto, ec2, gce, azure, file:PATH"},
      {"EC2", "\"EC2\" is none of none, auto, ec2, gce, azure, file:PATH (did you mean \"ec2\"?)"},
      {"aws:poll=1s",
       "\"aws\" is none of none, auto, ec2, gce, azure, file:PATH (did you mean \"ec2\"?)"},
      {"azur",
       "\"azur\" is none of none, auto, ec2, gce, azure, file:PATH (did you mean \"azure\"?)"},
      {"file", "\"file\" names no file (file:PATH)"},
      {"file:", "\"file:\" names no file (file:PATH)"},
      {"ec2:pol=1s", "\"pol=1s\" is no option of ec2"},
      {"ec2:poll", "\"poll\" is not KEY=VALUE"},
      {"ec2:poll=0s", "\"poll=0s\" is no duration from 100 ms to 1h"},
      {"ec2:poll=-1s", "\"poll=-1s\" is no duration from 100 ms to 1h"},
      {"ec2:notice=30s", "\"notice=30s\" is no option of ec2"},
      {"gce:ack=yes", "\"ack=yes\" is no option of gce"},
      {"azure:ack=perhaps", "\"ack=perhaps\" is neither yes nor no"},
      {"none:poll=1s", "\"none:poll=1s\" asks nobody, so nothing else"},
      {"ec2:endpoint=http://300.1.1.1",
       "\"endpoint=http://300.1.1.1\" is no address in numbers (http://169.254.169.254, "
       "http://[fd00:ec2::254])"},
      {"ec2:advice=all", "\"advice=all\" is neither relay nor log"},
      {"ec2:endpoint=http://example.com",
       "\"endpoint=http://example.com\" is no address in numbers (http://169.254.169.254, "
       "http://[fd00:ec2::254])"},
  };
  for (const Row& row : rows) {
    CAPTURE(row.text);
    const auto source = parse_cloud_source(row.text);
    REQUIRE_FALSE(source.has_value());
    CHECK(source.error().what == row.complaint);
  }
}

TEST_CASE("endpoints are numbers") {
  struct Row {
    const char* text;
    const char* address;
    int port;
  };
  const Row rows[] = {
      {"http://169.254.169.254", "169.254.169.254", 80},
      {"http://169.254.169.254/", "169.254.169.254", 80},
      {"127.0.0.1:1338", "127.0.0.1", 1338},
      {"http://localhost:1338", "127.0.0.1", 1338},
      {"metadata.google.internal", "169.254.169.254", 80},
      {"http://[fd00:ec2::254]", "fd00:ec2::254", 80},
      {"[::1]:65535", "::1", 65535},
  };
  for (const Row& row : rows) {
    CAPTURE(row.text);
    const auto endpoint = parse_endpoint(row.text);
    REQUIRE(endpoint.has_value());
    CHECK(*endpoint == Endpoint{row.address, row.port});
  }
  for (const char* text : {"", "http://", "https://169.254.169.254", "http://metadata", "[::1",
                           "127.0.0.1:0", "127.0.0.1:65536", "127.0.0.1:http", "[::1]8080",
                           "user@127.0.0.1", "127.0.0.1/latest", "http://http://127.0.0.1", "1.2.3",
                           "1.2.3.4.5", "256.1.1.1", "1..2.3", "0001.2.3.4", "[12]"}) {
    CAPTURE(text);
    CHECK_FALSE(parse_endpoint(text).has_value());
  }
}

TEST_CASE("the firmware says whose machine it is") {
  CHECK(cloud_of({.system_vendor = "Amazon EC2"}) == Kind::ec2);
  CHECK(cloud_of({.system_vendor = "Xen", .bios_version = "4.11.amazon"}) == Kind::ec2);
  CHECK(cloud_of({.system_vendor = "Google", .product_name = "Google Compute Engine"}) ==
        Kind::gce);
  CHECK(cloud_of({.system_vendor = "Microsoft Corporation",
                  .chassis_asset_tag = "7783-7084-3265-9085-8269-3286-77"}) == Kind::azure);
  CHECK(cloud_of({.system_vendor = "Microsoft Corporation"}) == Kind::none);
  CHECK(cloud_of({.system_vendor = "Google", .product_name = "Chromebook"}) == Kind::none);
  CHECK(cloud_of({}) == Kind::none);
}
