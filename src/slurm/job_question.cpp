#include "slurm/job_question.hpp"

namespace pw {

Result<JobQuestion> JobQuestion::start(const std::string& id, Nanos limit) {
  PW_TRY(Question question, Question::start({"show", "job", "-o", id}, limit));
  return JobQuestion(std::move(question));
}

std::optional<Result<JobState>> JobQuestion::advance() {
  const auto answer = question_.advance();
  if (!answer) return {};
  if (!*answer) return answer->error();
  return parse_job_state(**answer);
}

}  // namespace pw
