#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace pw {

/// One record of a ledger as it is stored: the name `q.<number>` of a symbolic link, and its target
/// `<text> w=<host>.<pid>.<random> s=<crc32>`, readable with ls -l. os/ledger alone calls this.
struct LedgerLine {
  std::string text;
  std::string writer;  ///< unique to one opened ledger
};

std::string encode(const LedgerLine& line);

/// Nothing if it is cut off, garbled or not ours.
std::optional<LedgerLine> decode(std::string_view target);

/// Host up to its first dot, process and chance.
std::string unique_writer();
/// The writer without chance: host.pid.
std::string process_of(std::string_view writer);

std::string entry_name(std::uint64_t number);
std::optional<std::uint64_t> entry_number(std::string_view name);

}  // namespace pw
