# Makes a C++ table of profiles/*.yaml (core/profile.hpp), so that no start has to parse YAML.
#   cmake -D OUT=FILE -D "PROFILES=A.yaml;B.yaml" -P embed_profiles.cmake
# A shipped profile is simple YAML: comments, and `key: value` lines with a plain or a double-quoted
# scalar without escapes. tests/config compares the table with what the YAML library reads.
set(table "")
set(rows "")
foreach(file IN LISTS PROFILES)
  get_filename_component(name "${file}" NAME_WE)
  string(REPLACE "-" "_" symbol "${name}")
  string(APPEND table "constexpr ProfileLine k_${symbol}[] = {\n")
  file(STRINGS "${file}" lines REGEX "^[^#]")
  foreach(line IN LISTS lines)
    if(NOT line MATCHES "^([a-z-]+): +(\"([^\"\\]+)\"|[^\"'#&*!|>%@`{[][^#\"\\]*)$")
      message(FATAL_ERROR "${file}: too much YAML for a shipped profile: ${line}")
    endif()
    set(key "${CMAKE_MATCH_1}")
    set(value "${CMAKE_MATCH_2}")
    if(CMAKE_MATCH_3)
      set(value "${CMAKE_MATCH_3}")
    endif()
    string(APPEND table "    {\"${key}\", \"${value}\"},\n")
  endforeach()
  string(APPEND table "};\n")
  string(APPEND rows "    {\"${name}\", k_${symbol}},\n")
endforeach()
file(WRITE "${OUT}" "#include \"core/profile.hpp\"\n
namespace pw {
namespace {

${table}
constexpr ShippedProfile kProfiles[] = {
${rows}};

}  // namespace

std::span<const ShippedProfile> shipped_profiles() { return kProfiles; }

}  // namespace pw
")
