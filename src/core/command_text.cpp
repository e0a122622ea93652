#include "core/command_text.hpp"

#include "core/text.hpp"

namespace pw {
namespace {

constexpr std::size_t kShown = 60;

std::string printable(std::string text) {
  if (text.size() > kShown) text = text.substr(0, kShown - 3) + "...";
  for (char& c : text) {
    if (static_cast<unsigned char>(c) < 0x20) c = ' ';
  }
  return text;
}

}  // namespace

std::string command_text(std::span<const std::string> command) {
  std::string text;
  for (const std::string& word : command) {
    text += (text.empty() ? "" : " ") + word;
    if (text.size() > kShown) break;
  }
  return printable(std::move(text));
}

std::string short_command_text(std::span<const std::string> command) {
  std::string name(base_name(command[0]));
  if (command.size() > 1 && !command[1].starts_with('-')) {
    name += " " + std::string(base_name(command[1]));
  }
  return printable(std::move(name));
}

}  // namespace pw
