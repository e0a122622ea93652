#include "core/pattern.hpp"

namespace pw {
namespace {

const std::string* value_of(char letter, const PatternValues& values) {
  switch (letter) {
    case 'j': return &values.job_id;
    case 'A': return &values.array_job_id;
    case 'a': return &values.array_task;
    case 't': return &values.task;
    case 'n': return &values.node;
    case 'N': return &values.node_name;
    case 'u': return &values.user;
    case 'h': return &values.host;
    default: return nullptr;
  }
}

bool is_digit(char c) { return c >= '0' && c <= '9'; }

}  // namespace

Result<std::string> expand_pattern(std::string_view pattern, const PatternValues& values) {
  std::string result;
  for (std::size_t i = 0; i < pattern.size(); ++i) {
    if (pattern[i] != '%') {
      result += pattern[i];
      continue;
    }
    std::size_t width = 0;
    // sbatch knows one digit of width.
    if (i + 1 < pattern.size() && is_digit(pattern[i + 1])) {
      width = static_cast<std::size_t>(pattern[++i] - '0');
    }
    const char letter = ++i < pattern.size() ? pattern[i] : '\0';
    if (letter == '%') {
      result += '%';
      continue;
    }
    const std::string* value = value_of(letter, values);
    if (value == nullptr) {
      return Error{"\"" + std::string(pattern) + "\": only %j %A %a %t %n %N %u %h %% are known",
                   {}};
    }
    const bool number = !value->empty() && is_digit((*value)[0]);
    if (number && value->size() < width) result.append(width - value->size(), '0');
    result += *value;
  }
  return result;
}

}  // namespace pw
