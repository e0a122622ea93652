#include "os/ledger_line.hpp"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <boost/crc.hpp>
#include <cstdio>

#include "core/number.hpp"
#include "os/random.hpp"

namespace pw {
namespace {

constexpr std::string_view kWriter = " w=";
constexpr std::string_view kSum = " s=";
constexpr std::size_t kDigits = 12;
constexpr std::size_t kDigitsMax = 18;  // what parse_number() surely takes
constexpr std::size_t kHostMax = 20;

std::string hex(std::uint32_t value) {
  std::array<char, 9> text{};
  std::snprintf(text.data(), text.size(), "%08x", value);
  return text.data();
}

std::string checksum(std::string_view text) {
  boost::crc_32_type sum;
  sum.process_bytes(text.data(), text.size());
  return hex(sum.checksum());
}

}  // namespace

std::string encode(const LedgerLine& line) {
  std::string target = line.text;
  target.append(kWriter).append(line.writer);
  const std::string sum = checksum(target);
  return target.append(kSum).append(sum);
}

std::optional<LedgerLine> decode(std::string_view target) {
  const auto sum = target.rfind(kSum);
  if (sum == std::string_view::npos) return {};
  const std::string_view summed = target.substr(0, sum);
  if (target.substr(sum + kSum.size()) != checksum(summed)) return {};
  const auto writer = summed.rfind(kWriter);
  if (writer == std::string_view::npos) return {};
  return LedgerLine{std::string(summed.substr(0, writer)),
                    std::string(summed.substr(writer + kWriter.size()))};
}

std::string unique_writer() {
  std::array<char, 256> host{};
  if (gethostname(host.data(), host.size() - 1) != 0) host = {'h', 'o', 's', 't'};
  std::string name = host.data();
  name = name.substr(0, std::min(name.find('.'), kHostMax));
  const auto chance = static_cast<std::uint32_t>(random_bits());
  return name + "." + std::to_string(getpid()) + "." + hex(chance);
}

std::string process_of(std::string_view writer) {
  return std::string(writer.substr(0, writer.rfind('.')));
}

std::string entry_name(std::uint64_t number) {
  const std::string digits = std::to_string(number);
  return "q." + std::string(kDigits - std::min(kDigits, digits.size()), '0') + digits;
}

std::optional<std::uint64_t> entry_number(std::string_view name) {
  if (!name.starts_with("q.") || name.size() > 2 + kDigitsMax) return {};
  const auto number = parse_number(name.substr(2));
  if (!number || *number == 0) return {};
  const auto found = static_cast<std::uint64_t>(*number);
  if (entry_name(found) != name) return {};
  return found;
}

}  // namespace pw
