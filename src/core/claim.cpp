#include "core/claim.hpp"

#include <algorithm>
#include <array>
#include <limits>

#include "core/number.hpp"
#include "core/text.hpp"

namespace pw {
namespace {

constexpr std::array<std::string_view, 3> kStates{"trying", "done", "withdrawn"};
constexpr std::size_t kWordMax = 64;  // HOST_NAME_MAX; a boot id has 36

// One printable word, whatever a host is called.
std::string word(std::string_view text) {
  std::string result(text.substr(0, kWordMax));
  std::replace_if(
      result.begin(), result.end(), [](char c) { return c <= ' ' || c > '~'; }, '_');
  return result.empty() ? "-" : result;
}

std::optional<Claim::State> state_in(std::string_view text) {
  const auto found = std::find(kStates.begin(), kStates.end(), text);
  if (found == kStates.end()) return {};
  return static_cast<Claim::State>(found - kStates.begin());
}

}  // namespace

std::string encode(const Claim& claim) {
  const Claimant& owner = claim.owner;
  return std::string(kStates[static_cast<std::size_t>(claim.state)]) + " " + word(owner.host) +
         " " + std::to_string(owner.process.pid) + " " + std::to_string(owner.process.start) + " " +
         word(owner.boot) + " " + std::to_string(owner.space);
}

std::optional<Claim> parse_claim(std::string_view text) {
  const auto words = split(text, ' ');
  if (words.size() != 6 || word(words[1]) != words[1] || word(words[4]) != words[4]) return {};
  const auto state = state_in(words[0]);
  const auto pid = parse_number(words[2]);
  const auto start = parse_number(words[3]);
  const auto space = parse_number(words[5]);
  if (!state || !pid || !start || !space) return {};
  if (*pid < 1 || *pid > std::numeric_limits<int>::max()) return {};
  return Claim{*state,
               {.host = std::string(words[1]),
                .boot = std::string(words[4]),
                .space = static_cast<std::uint64_t>(*space),
                .process = {static_cast<int>(*pid), static_cast<std::uint64_t>(*start)}}};
}

bool within_sight(const Claimant& owner, const Claimant& asker) {
  return owner.host == asker.host && owner.boot == asker.boot && owner.boot != "-" &&
         owner.space == asker.space && owner.space != 0;
}

std::string claimant_text(const Claimant& claimant) {
  return "pid " + std::to_string(claimant.process.pid) + " on " + claimant.host;
}

}  // namespace pw
