#include "core/profile.hpp"

#include <algorithm>
#include <array>
#include <cstddef>

#include "core/text.hpp"

namespace pw {
namespace {

using Words = std::span<const std::string>;

// A command that runs another command: what it is called, and what stands before the other one.
struct Prefix {
  std::string_view name;
  std::string_view verb;    ///< "run" of `uv run`
  std::string_view valued;  ///< the short options with a value of their own word
  std::size_t words = 0;    ///< words that are no option: the D of `timeout D`
};

constexpr auto kPrefixes = std::to_array<Prefix>({
    {"env", "", "uC"},        {"nice", "", "n"},           {"ionice", "", "cn"},
    {"nohup", "", ""},        {"setsid", "", ""},          {"time", "", "fo"},
    {"timeout", "", "sk", 1}, {"stdbuf", "", "ioe"},       {"taskset", "", "", 1},
    {"numactl", "", "NmiCp"}, {"tini", "", "pe"},          {"dumb-init", "", "r"},
    {"catatonit", "", ""},    {"uv", "run", "p"},          {"conda", "run", "np"},
    {"mamba", "run", "np"},   {"micromamba", "run", "np"}, {"poetry", "run", ""},
    {"pixi", "run", "e"},
});

struct Launcher {
  std::string_view name;
  std::string_view verb;  ///< the next word, if it matters
  std::string_view profile;
};

constexpr auto kPrograms = std::to_array<Launcher>({
    {"torchrun", "", "torchrun"},
    {"accelerate", "launch", "accelerate"},
    {"accelerate-launch", "", "accelerate"},
    {"wandb", "agent", "wandb-agent"},
    {"srun", "", "srun"},
    {"mpirun", "", "mpirun"},
    {"mpiexec", "", "mpirun"},
    {"orterun", "", "mpirun"},
});

// Started by `python -m`.
constexpr auto kModules = std::to_array<Launcher>({
    {"torch.distributed.run", "", "torchrun"},
    {"torch.distributed.launch", "", "torchrun"},
    {"accelerate.commands.launch", "", "accelerate"},
    {"wandb", "agent", "wandb-agent"},
    {"submitit.core._submit", "", "submitit"},
});

constexpr auto kShells = std::to_array<std::string_view>({"bash", "sh", "dash", "ksh", "zsh"});

bool is_option(std::string_view word) { return word.size() > 1 && word[0] == '-'; }

// "-n" of `nice -n 5` takes the next word; "-n5", "--adjustment=5" and "-i" do not.
bool takes_next(std::string_view option, std::string_view valued) {
  return option.size() == 2 && valued.find(option[1]) != std::string_view::npos;
}

Words without_options(Words words, std::string_view valued) {
  while (!words.empty() && is_option(words[0])) {
    if (words[0] == "--") return words.subspan(1);
    const std::size_t taken = takes_next(words[0], valued) ? 2 : 1;
    words = words.subspan(std::min(taken, words.size()));
  }
  return words;
}

Words without_prefix(Words words, const Prefix& prefix) {
  words = words.subspan(1);
  if (!prefix.verb.empty()) words = words.subspan(1);
  words = without_options(words, prefix.valued);
  if (prefix.name == "env") {
    while (!words.empty() && words[0].find('=') != std::string::npos) words = words.subspan(1);
  }
  return words.subspan(std::min(prefix.words, words.size()));
}

bool begins(Words words, std::string_view name, std::string_view verb) {
  return base_name(words[0]) == name && (verb.empty() || (words.size() > 1 && words[1] == verb));
}

Words without_prefixes(Words words) {
  while (!words.empty()) {
    const auto prefix = std::find_if(kPrefixes.begin(), kPrefixes.end(), [&](const Prefix& p) {
      return begins(words, p.name, p.verb);
    });
    if (prefix == kPrefixes.end()) break;
    words = without_prefix(words, *prefix);
  }
  return words;
}

template <std::size_t N>
std::string_view find_launcher(const std::array<Launcher, N>& launchers, Words words) {
  for (const Launcher& launcher : launchers) {
    if (begins(words, launcher.name, launcher.verb)) return launcher.profile;
  }
  return "";
}

// python, python3, python3.11
bool is_python(std::string_view name) {
  return name.starts_with("python") &&
         name.find_first_not_of("0123456789.", 6) == std::string_view::npos;
}

std::string_view module_profile(Words words) {
  while (!words.empty() && is_option(words[0]) && words[0] != "-m") {
    words = words.subspan(std::min<std::size_t>(takes_next(words[0], "XW") ? 2 : 1, words.size()));
  }
  if (words.empty()) return "";
  // `python /opt/env/bin/torchrun`: also what a script with a long first line comes to.
  if (words[0] != "-m") {
    return words[0].find('/') != std::string::npos ? find_launcher(kPrograms, words) : "";
  }
  return words.size() > 1 ? find_launcher(kModules, words.subspan(1)) : "";
}

// A script, not `bash -c` and not a shell that reads its commands.
bool runs_script(Words words) {
  while (!words.empty() && is_option(words[0])) {
    const bool is_long = words[0].starts_with("--");
    if (!is_long && words[0].find_first_of("cs") != std::string::npos) return false;
    words = words.subspan(std::min<std::size_t>(takes_next(words[0], "oO") ? 2 : 1, words.size()));
  }
  return !words.empty();
}

}  // namespace

const ShippedProfile* find_shipped_profile(std::string_view name) {
  for (const ShippedProfile& profile : shipped_profiles()) {
    if (profile.name == name) return &profile;
  }
  return nullptr;
}

std::string_view launcher_called_python(std::span<const std::string> command) {
  const Words words = without_prefixes(command);
  if (words.empty() || !is_python(base_name(words[0]))) return "";
  const std::string_view profile = module_profile(words.subspan(1));
  if (profile == "wandb-agent") return "wandb";
  return profile == "torchrun" || profile == "accelerate" ? profile : "";
}

std::string_view recognised_profile(std::span<const std::string> command) {
  const Words words = without_prefixes(command);
  if (words.empty()) return "";
  const std::string_view name = base_name(words[0]);
  if (is_python(name)) return module_profile(words.subspan(1));
  if (std::find(kShells.begin(), kShells.end(), name) != kShells.end()) {
    return runs_script(words.subspan(1)) ? "bash" : "";
  }
  return find_launcher(kPrograms, words);
}

}  // namespace pw
