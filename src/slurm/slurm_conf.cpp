#include "slurm/slurm_conf.hpp"

#include <algorithm>
#include <fstream>
#include <sstream>

#include "config/environment.hpp"
#include "core/number.hpp"
#include "core/text.hpp"

namespace pw {
namespace {

void take(SlurmConf& conf, std::string_view key, std::string_view value) {
  const std::string name = upper_case(key);
  if (name == "PROCTRACKTYPE") {
    conf.proctrack = value == "proctrack/cgroup"      ? Proctrack::cgroup
                     : value == "proctrack/linuxproc" ? Proctrack::linuxproc
                     : value == "proctrack/pgid"      ? Proctrack::pgid
                                                      : Proctrack::unknown;
  } else if (name == "KILLWAIT") {
    if (const auto seconds = parse_number(value)) conf.kill_wait = Seconds(*seconds);
  }
}

}  // namespace

SlurmConf parse_slurm_conf(std::string_view text) {
  SlurmConf conf;
  for (std::string_view line : split(text, '\n')) {
    line = line.substr(0, line.find('#'));
    for (const std::string_view word : split(line, ' ')) {
      const std::string_view item = trimmed(word);
      const auto equals = item.find('=');
      if (equals != std::string_view::npos) {
        take(conf, item.substr(0, equals), item.substr(equals + 1));
      }
    }
  }
  return conf;
}

SlurmConf read_slurm_conf() {
  for (const std::string& path :
       {environment_value("SLURM_CONF"), std::string("/run/slurm/conf/slurm.conf"),
        std::string("/etc/slurm/slurm.conf")}) {
    const std::ifstream file(path);
    if (path.empty() || !file) continue;
    std::ostringstream text;
    text << file.rdbuf();
    return parse_slurm_conf(text.str());
  }
  return {};
}

}  // namespace pw
