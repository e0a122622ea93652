#include "slurm/question.hpp"

#include "config/environment.hpp"
#include "os/clock.hpp"

namespace pw {
namespace {

// With it the times need neither a time zone nor a guess at the site's format.
constexpr const char* kTimeFormat = "SLURM_TIME_FORMAT=";

}  // namespace

Result<Question> Question::start(std::vector<std::string> words, Nanos limit) {
  auto environment = trainer_environment();
  std::erase_if(environment,
                [](const std::string& entry) { return entry.starts_with(kTimeFormat); });
  environment.push_back(std::string(kTimeFormat) + "%s");
  std::string name = "scontrol " + words.at(0) + " " + words.at(1);
  words.insert(words.begin(), "scontrol");
  PW_TRY(Helper helper, Helper::start(std::move(words), std::move(environment),
                                      Helper::Output::captured, monotonic_now() + limit));
  return Question(std::move(helper), std::move(name));
}

std::optional<Result<std::string>> Question::advance() {
  helper_.enforce_limit();
  if (helper_.output_fd() >= 0) helper_.read_output();
  const auto ending = helper_.reap();
  if (!ending && helper_.given_up()) {
    return Error{name_ + " did not answer, and cannot be killed", {}};
  }
  if (!ending) return {};
  if (helper_.killed()) return Error{name_ + " did not answer in time", {}};
  if (*ending == Ending{Ending::Kind::exited, 0}) return helper_.output();
  const bool exited = ending->kind == Ending::Kind::exited;
  return Error{name_ + (exited ? " exited " : " died of signal ") + std::to_string(ending->number),
               {}};
}

}  // namespace pw
