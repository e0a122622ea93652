#include "core/run_key.hpp"

#include <algorithm>
#include <string_view>

namespace pw {
namespace {

constexpr std::size_t kPartMax = 60;  // four parts and what is put around them: a name has 255

bool has_place(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
         c == '_';
}

// Without dots: those stand between the parts, and "../x" would lead elsewhere.
std::string part(std::string_view text) {
  std::string result(text.substr(0, kPartMax));
  std::replace_if(
      result.begin(), result.end(), [](char c) { return !has_place(c); }, '_');
  return result.empty() ? "-" : result;
}

}  // namespace

std::string job_name(const RunKey& key) { return part(key.cluster) + "." + part(key.job); }

std::string run_name(const RunKey& key) {
  return job_name(key) + "." + part(std::to_string(key.restarts));
}

std::string step_name(const RunKey& key, const std::string& step) {
  return run_name(key) + "." + part(step);
}

}  // namespace pw
