#pragma once
#include <span>
#include <string>

#include "core/settings.hpp"

namespace pw {

/// "preempt-wrap: TEXT" to stderr, where there is no log yet; one line, whatever TEXT quotes.
void complain(const std::string& text);
void complain(std::span<const Complaint> complaints);

/// The same as the last words: returns `status`.
int fail(int status, const std::string& text);

}  // namespace pw
