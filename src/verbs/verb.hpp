#pragma once
#include <string>
#include <vector>

#include "verbs/run.hpp"

namespace pw {

/// Chooses the verb by the very first word, performs it and returns our exit status. A word that is
/// no verb begins the options and the command of `run`.
int perform(const Beginning& beginning, const std::vector<std::string>& words);

}  // namespace pw
