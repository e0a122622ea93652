#include <elf.h>

#include <filesystem>
#include <fstream>

#include "measure.hpp"

namespace pw::bench {
namespace {

constexpr std::uintmax_t kAllowedBytes = 4'000'000;

bool is_static(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  Elf64_Ehdr header{};
  file.read(reinterpret_cast<char*>(&header), sizeof header);
  file.seekg(static_cast<std::streamoff>(header.e_phoff));
  for (int i = 0; i < header.e_phnum; ++i) {
    Elf64_Phdr segment{};
    file.read(reinterpret_cast<char*>(&segment), sizeof segment);
    if (segment.p_type == PT_INTERP) return false;
  }
  return file.good() && header.e_machine == EM_X86_64;
}

}  // namespace

Finding measure_size(Field& field) {
  Finding finding{{{"size, kB", {}}}, {}};
  for (const Contender& contender : field.contenders) {
    if (contender.plain.empty()) continue;
    const auto bytes = std::filesystem::file_size(contender.plain[0]);
    finding.lines[0].cells[contender.name] = std::to_string(bytes / 1000);
    if (contender.name != kOurs) continue;
    const bool no_loader = is_static(contender.plain[0]);
    finding.budgets.push_back({"size: " + std::to_string(bytes / 1000) + " kB, " +
                                   (no_loader ? "static" : "not static") + ", allowed 4000 kB",
                               no_loader && bytes <= kAllowedBytes});
  }
  return finding;
}

}  // namespace pw::bench
