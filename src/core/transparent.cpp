#include "core/transparent.hpp"

#include <algorithm>
#include <array>

namespace pw {
namespace {

using std::string_view;

constexpr auto kTransparent = std::to_array<string_view>({
    // Shells run their traps only after the foreground command, or not at all.
    "sh",
    "bash",
    "dash",
    "ash",
    "zsh",
    "ksh",
    "mksh",
    "fish",
    "tcsh",
    "csh",
    "busybox",
    // They wait for one command.
    "env",
    "nice",
    "ionice",
    "nohup",
    "setsid",
    "stdbuf",
    "time",
    "timeout",
    "chrt",
    "taskset",
    "numactl",
    "xargs",
    "parallel",
    "script",
    "strace",
    "ltrace",
    "su",
    "sudo",
    "runuser",
    "setpriv",
    "unshare",
    "nsenter",
    "make",
    "flock",
    // Init programs forward to their child, handler or not.
    "tini",
    "tini-static",
    "dumb-init",
    "catatonit",
    "docker-init",
    "my_init",
    // Environments and containers.
    "conda",
    "mamba",
    "micromamba",
    "uv",
    "uvx",
    "pixi",
    "poetry",
    "pipenv",
    "hatch",
    "apptainer",
    "singularity",
    "starter",
    "starter-suid",
    "appinit",
    "sinit",
    "docker",
    "podman",
    "conmon",
    "crun",
    "runc",
    // They start ranks; what they do with a notice themselves harms these (core/launcher).
    "torchrun",
    "accelerate",
    "mpirun",
    "mpiexec",
    "mpiexec.hydra",
    "hydra_pmi_proxy",
    "orterun",
    "prterun",
    "prte",
});

constexpr auto kBystanders =
    std::to_array<string_view>({"wandb-core", "wandb-symon", "wandb-xpu", "gpu_stats"});

template <std::size_t N>
bool is_one_of(const std::array<string_view, N>& names, string_view name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

}  // namespace

bool Transparent::contains(string_view name) const {
  return is_one_of(kTransparent, name) || more_.find(name) != more_.end();
}

bool takes_for_those_below(string_view name) {
  return name == "srun" || name.starts_with("preempt-wrap");
}

bool is_bystander(string_view name) { return is_one_of(kBystanders, name); }

}  // namespace pw
