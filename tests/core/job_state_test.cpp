#include "core/job_state.hpp"

#include <doctest/doctest.h>

using namespace pw;
using Phase = JobState::Phase;

namespace {

// `scontrol show job -o` of 22.05.8 with SLURM_TIME_FORMAT=%s, within a preemption's grace.
const std::string kInGrace =
    "JobId=22 JobName=cancel20-task UserId=nobody(65534) GroupId=nogroup(65534) MCS_label=N/A "
    "Priority=4294901738 Nice=0 Account=(null) QOS=(null) JobState=RUNNING Reason=None "
    "Dependency=(null) Requeue=1 Restarts=0 BatchFlag=1 Reboot=0 ExitCode=0:0 RunTime=00:00:05 "
    "TimeLimit=00:10:00 TimeMin=N/A SubmitTime=1795787614 EligibleTime=1795787614 "
    "StartTime=1795787615 EndTime=1795787640 Deadline=N/A PreemptEligibleTime=1795787615 "
    "PreemptTime=1795787620 SuspendTime=None SecsPreSuspend=0 Partition=cancel20 NumNodes=1 \n";

std::string with(std::string from, const std::string& to) {
  std::string text = kInGrace;
  return text.replace(text.find(from), from.size(), to);
}

}  // namespace

TEST_CASE("a job as scontrol shows it") {
  const auto job = parse_job_state(kInGrace);
  REQUIRE(job.has_value());
  CHECK(job->phase == Phase::running);
  CHECK(job->name == "RUNNING");
  CHECK(job->reason == "None");
  CHECK(job->restarts == 0);
  CHECK(job->may_requeue);
  CHECK(job->end == 1795787640);
  CHECK(job->preempted == 1795787620);
}

TEST_CASE("the states of a job") {
  const std::pair<const char*, Phase> rows[] = {
      {"PENDING", Phase::pending},      {"RUNNING", Phase::running},
      {"SUSPENDED", Phase::suspended},  {"COMPLETING", Phase::completing},
      {"CANCELLED", Phase::over},       {"TIMEOUT", Phase::over},
      {"PREEMPTED", Phase::over},       {"COMPLETED", Phase::over},
      {"REQUEUE_HOLD", Phase::pending}, {"SOMETHING_NEW", Phase::over},
  };
  for (const auto& [word, phase] : rows) {
    CAPTURE(word);
    const auto job = parse_job_state(with("JobState=RUNNING", std::string("JobState=") + word));
    REQUIRE(job.has_value());
    CHECK(job->phase == phase);
  }
}

TEST_CASE("times that are none") {
  CHECK(!parse_job_state(with("EndTime=1795787640", "EndTime=Unknown"))->end);
  CHECK(!parse_job_state(with("PreemptTime=1795787620", "PreemptTime=None"))->preempted);
  CHECK(!parse_job_state(with("EndTime=1795787640", "EndTime=2026-11-27T12:00:00"))->end);
}

TEST_CASE("a job's name cannot speak for it") {
  const auto job = parse_job_state(with("JobName=cancel20-task", "JobName=x JobState=CANCELLED"));
  REQUIRE(job.has_value());
  CHECK(job->name == "RUNNING");
}

TEST_CASE("what is no job") {
  for (const char* text : {"", "\n", "garbage", "JobId=", "slurm_load_jobs error: Invalid job id",
                           "JobId=1 UserId=a JobState= Restarts=0", "JobId=1 JobState=RUNNING",
                           "JobId=1 UserId=a JobState=RUNNING Restarts=-1",
                           "JobId=1 UserId=a JobState=RUNNING Restarts=99999999999999999999"}) {
    CAPTURE(text);
    CHECK_FALSE(parse_job_state(text).has_value());
  }
}
