#pragma once
#include <span>
#include <string>
#include <string_view>

namespace pw {

/// One `option: value` line of a shipped profile; `says` is no option but a sentence for the start
/// line.
struct ProfileLine {
  std::string_view name;
  std::string_view text;
};
inline constexpr std::string_view kSays = "says";

/// A launcher's settings as they ship (profiles/NAME.yaml). CMake puts them into the program as
/// this table, so that no start has to parse them; tests/config compares it with the files.
struct ShippedProfile {
  std::string_view name;
  std::span<const ProfileLine> lines;
};
std::span<const ShippedProfile> shipped_profiles();
const ShippedProfile* find_shipped_profile(std::string_view name);

/// The name of the profile for the launcher that a command starts, or empty. Judges by the base
/// names of the first words alone, also behind env, nice, `uv run` and the like; it allocates
/// nothing and opens nothing: it runs at every start.
std::string_view recognised_profile(std::span<const std::string> command);

/// `python -m torch.distributed.run` and the like: the name that the kernel would give the launcher
/// if it were started by its script. Empty: the command is no such thing.
std::string_view launcher_called_python(std::span<const std::string> command);

}  // namespace pw
