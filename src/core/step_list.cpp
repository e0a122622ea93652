#include "core/step_list.hpp"

#include "core/number.hpp"
#include "core/text.hpp"

namespace pw {

std::optional<std::string> step_of_srun(std::string_view scontrol_output, std::string_view host,
                                        int srun_pid) {
  std::string step;
  std::optional<std::string> elsewhere;
  int found_elsewhere = 0;
  for (const std::string_view line : split(scontrol_output, '\n')) {
    for (std::string_view word : split(line, ' ')) {
      word = trimmed(word);
      if (word.starts_with("StepId=")) step = word.substr(7);
      if (!word.starts_with("SrunHost:Pid=")) continue;
      const std::string_view value = word.substr(13);
      const auto colon = value.rfind(':');
      if (colon == std::string_view::npos || parse_number(value.substr(colon + 1)) != srun_pid) {
        continue;
      }
      // A short and a full host name may stand for the same machine.
      if (split(value.substr(0, colon), '.')[0] == split(host, '.')[0]) return step;
      elsewhere = step;
      ++found_elsewhere;
    }
  }
  return found_elsewhere == 1 ? elsewhere : std::nullopt;
}

}  // namespace pw
