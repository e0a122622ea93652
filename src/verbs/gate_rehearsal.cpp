#include <array>
#include <cstdio>

#include "config/command_line.hpp"
#include "core/duration.hpp"
#include "core/exit_status.hpp"
#include "core/gate_plan.hpp"
#include "core/number.hpp"
#include "core/start_rate.hpp"
#include "core/value_takers.hpp"
#include "verbs/complain.hpp"
#include "verbs/help.hpp"
#include "verbs/run.hpp"

namespace pw {
namespace {

constexpr std::int64_t kMostTasks = 1'000'000;
constexpr std::array kOptions = std::to_array<Option>({
    {"tasks", 0, "N", "off", Reach::command_line, true, "how many there are, all at once"},
    {"start-rate", 0, "R", "off", Reach::command_line, true, "as for run: 5/s, 200/min"},
    {"max-starting", 0, "N", "off", Reach::command_line, true, "as for run"},
    {"startup", 0, "D", "off", Reach::command_line, true, "how long a start-up takes"},
    {"help", 'h', "", "off", Reach::command_line, true, "this screen"},
});

struct Question {
  std::size_t tasks = 0;
  GateLimits limits;
  Nanos start_up{0};
  std::vector<std::string> errors;
};

std::string take(const Given& given, Question& question) {
  if (given.name == "start-rate") {
    const auto spacing = parse_start_rate(given.text);
    if (!spacing) return spacing.error().what;
    question.limits.spacing = *spacing;
    return "";
  }
  if (given.name == "startup") {
    const auto length = parse_duration(given.text);
    if (!length) return bad_duration(given.text);
    question.start_up = *length;
    return "";
  }
  const bool tasks = given.name == "tasks";
  const std::int64_t most = tasks ? kMostTasks : static_cast<std::int64_t>(kMostLeases);
  const auto number = parse_number(given.text);
  if (!number || *number < 1 || *number > most) {
    return "\"" + given.text + "\" is no number from 1 to " + std::to_string(most);
  }
  if (tasks) question.tasks = static_cast<std::size_t>(*number);
  if (!tasks) question.limits.max_starting = static_cast<int>(*number);
  return "";
}

Question understand(const CommandLine& line) {
  Question question;
  for (const Complaint& error : line.errors) question.errors.push_back(error.line());
  if (!line.command.empty()) question.errors.push_back("unexpected word " + line.command[0]);
  for (const Given& given : line.given) {
    const std::string fault = take(given, question);
    if (!fault.empty()) question.errors.push_back(given.name + ": " + fault);
  }
  if (!question.errors.empty()) return question;
  if (question.tasks == 0) question.errors.emplace_back("gate plan: how many --tasks?");
  if (!question.limits.ticketed() && question.limits.spacing == Nanos(0)) {
    question.errors.emplace_back("gate plan: needs --start-rate or --max-starting");
  }
  if (question.limits.ticketed() && question.start_up == Nanos(0)) {
    question.errors.emplace_back("gate plan: --max-starting needs --startup");
  }
  return question;
}

}  // namespace

int plan_of_gate(std::span<const std::string> words) {
  const CommandLine line = parse_command_line(words, kOptions);
  std::string text;
  if (line.wanted == Wanted::help && line.errors.empty()) {
    text = gate_help_text(kOptions);
  } else {
    const Question question = understand(line);
    for (const std::string& error : question.errors) complain(error);
    if (!question.errors.empty()) return kOwnFailure;
    text = plan_text(plan_gate(question.tasks, question.limits, question.start_up));
  }
  std::fputs(text.c_str(), stdout);
  return std::fflush(stdout) == 0 ? 0 : kOwnFailure;
}

}  // namespace pw
