// libFuzzer: any bytes as a settings file and, word by word, as a command line. Found: nothing may
// crash, hang or be read twice differently.
#include <cassert>
#include <cstdint>
#include <string>

#include "config/command_line.hpp"
#include "config/yaml.hpp"
#include "core/text.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string text(reinterpret_cast<const char*>(data), size);
  const auto settings = pw::parse_yaml_settings(text, "f", pw::Layer::site_file);
  const auto merged = pw::merge_settings(settings.given);
  assert(merged.errors.empty());  // a site file can only warn

  std::vector<std::string> words;
  for (const std::string_view word : pw::split(text, '\n')) words.emplace_back(word);
  const auto line = pw::parse_command_line(words);
  assert(line.command.size() <= words.size());
  return 0;
}
