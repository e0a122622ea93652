#include "contender.hpp"

#include <unistd.h>

#include <algorithm>
#include <numeric>

namespace pw::bench {
namespace {

// What people write: wait returns at each trapped signal, so it is asked until the child is gone.
const std::string kBashRelay = R"(
"$@" & child=$!
for s in HUP INT QUIT USR1 USR2 TERM WINCH RTMIN RTMIN+7; do trap "kill -$s $child" $s; done
while wait $child; s=$?; kill -0 $child 2>/dev/null; do :; done
exit $s)";

std::string path_of(const std::string& program) { return "/usr/bin/" + program; }

}  // namespace

Words missing_peers() {
  Words missing;
  for (const std::string& peer : {kCatatonit, kTini, kDumbInit, kTimeout, kBash}) {
    if (access(path_of(peer).c_str(), X_OK) != 0) missing.push_back(peer);
  }
  return missing;
}

Field make_field(const std::string& binary, const std::string& programs, FreshCopies& copies) {
  const std::string ours = copies.add(binary);
  const std::string timeout = copies.add(path_of(kTimeout));
  const std::string grace = std::to_string(kGraceMillis) + "ms";
  const std::string grace_seconds = std::to_string(kGraceMillis / 1000.0);
  const Words reference{copies.add(programs + "/reference_relay")};
  const Words catatonit{copies.add(path_of(kCatatonit)), "--"};
  // -s: init of a subtree, which we and catatonit are without being asked.
  const Words tini{copies.add(path_of(kTini)), "-s", "--"};
  const Words dumb_init{copies.add(path_of(kDumbInit)), "--"};
  const Words bash{copies.add(path_of(kBash)), "-c", kBashRelay, "relay"};

  Field field;
  field.binary = binary;
  field.stamp = programs + "/bench_stamp";
  field.echo_signal = programs + "/bench_echo_signal";
  field.contenders = {
      {kNone, {}, {}, {}},
      {kReference, reference, reference, {}},
      {kOurs,
       {ours, "--"},
       {ours, "--notice", "none", "--to", "child", "-q", "--"},
       {ours, "--to", "child", "-k", grace, "-q", "--"}},
      {kCatatonit, catatonit, catatonit, {}},
      {kTini, tini, tini, {}},
      {kDumbInit, dumb_init, dumb_init, {}},
      {kTimeout,
       {timeout, "0"},
       // Without it, one signal is all that it relays.
       {timeout, "--foreground", "-s", "USR1", "0"},
       {timeout, "-s", "USR1", "-k", grace_seconds, "0"}},
      {kBash, bash, bash, {}},
  };
  return field;
}

const Contender& Field::ours() const {
  return *std::find_if(contenders.begin(), contenders.end(),
                       [](const Contender& contender) { return contender.name == kOurs; });
}

std::vector<std::size_t> Field::shuffled() {
  std::vector<std::size_t> places(contenders.size());
  std::iota(places.begin(), places.end(), std::size_t{0});
  std::shuffle(places.begin(), places.end(), random);
  return places;
}

Words operator+(const Words& before, const Words& after) {
  Words all = before;
  all.insert(all.end(), after.begin(), after.end());
  return all;
}

}  // namespace pw::bench
