#include "slurm/slurm_conf.hpp"

#include <algorithm>

#include "config/environment.hpp"
#include "core/number.hpp"
#include "core/text.hpp"
#include "os/settings_file.hpp"

namespace pw {
namespace {

constexpr std::size_t kSizeMax = 16 * 1024 * 1024;
constexpr std::int64_t kLongest = 30 * 86'400;  // seconds; Slurm's own fields are 16 and 32 bits

std::optional<Nanos> seconds(std::string_view value) {
  const auto number = parse_number(value);
  return number ? std::optional<Nanos>(Seconds(std::min(*number, kLongest))) : std::nullopt;
}

bool is_requeue(std::string_view mode) {
  return upper_case(mode).find("REQUEUE") != std::string::npos;
}

class Reader {
 public:
  explicit Reader(std::string_view partition) : ours_(partition) {}

  void read(std::string_view line) {
    if (upper_case(line.substr(0, line.find(' '))) == "INCLUDE") includes = true;
    std::string_view partition;
    for (const std::string_view word : split(line, ' ')) {
      const auto equals = word.find('=');
      if (equals == std::string_view::npos) continue;
      const std::string key = upper_case(word.substr(0, equals));
      const std::string_view value = word.substr(equals + 1);
      if (key == "PARTITIONNAME") partition = value;
      take(key, value, partition);
    }
    // A partition without a GraceTime of its own has the default's.
    if (partition == ours_ && line_grace_) conf.grace_time = *line_grace_;
    if (partition == ours_ && !line_grace_) conf.grace_time = default_grace_;
    if (upper_case(partition) == "DEFAULT" && line_grace_) default_grace_ = *line_grace_;
    line_grace_.reset();
    if (line_mode_ && partition == ours_) our_mode_ = line_mode_;
    if (line_mode_ && partition.empty()) cluster_mode_ = *line_mode_;
    if (line_mode_ && upper_case(partition) == "DEFAULT") default_mode_ = line_mode_;
    if (!line_mode_ && partition == ours_) our_mode_ = default_mode_;
    line_mode_.reset();
    conf.preemption_requeues = our_mode_.value_or(cluster_mode_);
  }

  SlurmConf conf;
  bool preempts_by_qos = false;
  bool includes = false;

 private:
  void take(const std::string& key, std::string_view value, std::string_view partition) {
    if (key == "PROCTRACKTYPE") {
      conf.proctrack = value == "proctrack/cgroup"      ? Proctrack::cgroup
                       : value == "proctrack/linuxproc" ? Proctrack::linuxproc
                       : value == "proctrack/pgid"      ? Proctrack::pgid
                                                        : Proctrack::unknown;
    }
    if (key == "KILLWAIT" && seconds(value)) conf.kill_wait = seconds(value);
    if (key == "PREEMPTMODE") line_mode_ = is_requeue(value);
    // "100,110-112": any of them will do.
    if (key == "REQUEUEEXIT") {
      const auto code = parse_number(value.substr(0, value.find_first_of(",-")));
      if (code && *code > 0 && *code < 256) conf.requeue_exit = static_cast<int>(*code);
    }
    if (key == "JOBFILEAPPEND") conf.appends = value == "1";
    if (key == "PREEMPTTYPE") preempts_by_qos = value == "preempt/qos";
    if (key == "GRACETIME" && !partition.empty()) line_grace_ = seconds(value);
  }

  std::string_view ours_;
  Nanos default_grace_{0};
  std::optional<Nanos> line_grace_;
  bool cluster_mode_ = false;
  std::optional<bool> default_mode_;
  std::optional<bool> our_mode_;
  std::optional<bool> line_mode_;
};

// One blank between words, none around '=', no comment.
std::string normal(std::string_view line) {
  std::string result;
  for (const char c : trimmed(line.substr(0, line.find('#')))) {
    const bool blank = c == ' ' || c == '\t' || c == '\r';
    if (c == '=') {
      while (result.ends_with(' ')) result.pop_back();
    }
    if (blank && (result.ends_with(' ') || result.ends_with('='))) continue;
    result += blank ? ' ' : c;
  }
  return result;
}

}  // namespace

SlurmConf parse_slurm_conf(std::string_view text, std::string_view partition) {
  Reader reader(partition);
  std::string line;
  for (const std::string_view part : split(text, '\n')) {
    line += normal(part);
    if (line.ends_with('\\')) {
      line.back() = ' ';
      continue;
    }
    reader.read(line);
    line.clear();
  }
  reader.read(line);
  if (reader.preempts_by_qos || reader.includes) reader.conf.grace_time.reset();
  return reader.conf;
}

SlurmConf read_slurm_conf(std::string_view partition) {
  for (const std::string& path :
       {environment_value("SLURM_CONF"), std::string("/run/slurm/conf/slurm.conf"),
        std::string("/etc/slurm/slurm.conf")}) {
    if (path.empty()) continue;
    if (const auto text = read_regular_file(path, kSizeMax)) {
      return parse_slurm_conf(*text, partition);
    }
  }
  return {};
}

}  // namespace pw
