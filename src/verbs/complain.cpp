#include "verbs/complain.hpp"

#include <cstdio>

#include "core/text.hpp"

namespace pw {

void complain(const std::string& text) {
  std::fprintf(stderr, "preempt-wrap: %s\n", one_line(text).c_str());
}

void complain(std::span<const Complaint> complaints) {
  for (const Complaint& complaint : complaints) complain(complaint.line());
}

int fail(int status, const std::string& text) {
  complain(text);
  return status;
}

}  // namespace pw
