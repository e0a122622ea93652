#include "core/launcher.hpp"

#include <algorithm>
#include <array>

namespace pw {
namespace {

constexpr auto kManners = std::to_array<LauncherManner>({
    // TERM to the others, SIGKILL 30 s later; with --max-restarts all are started anew.
    {"torchrun", Afterwards::term},
    {"accelerate", Afterwards::term},  // torchrun inside, with several ranks
    // TERM to the others after 1 s, SIGKILL after 2.
    {"mpirun", Afterwards::nothing},
    {"mpiexec", Afterwards::nothing},
    {"orterun", Afterwards::nothing},
    {"prterun", Afterwards::nothing},
    // The place of a job that has ended is the next one's; TERM would end those that run.
    {"parallel", std::nullopt, SIGHUP},
});

constexpr auto kMpiLaunchers = std::to_array<std::string_view>(
    {"mpirun", "mpiexec", "orterun", "prterun", "prte", "mpiexec.hydra", "hydra_pmi_proxy"});

constexpr auto kRemote = std::to_array<std::string_view>(
    {"ssh", "rsh", "srun", "plm_rsh", "qrsh", "pbs_tmrsh", "blaunch", "lsrun", "llspawn.stdio"});

template <std::size_t N>
bool is_one_of(const std::array<std::string_view, N>& names, std::string_view name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

}  // namespace

const LauncherManner* manner_of(std::string_view name) {
  const auto* found = std::find_if(kManners.begin(), kManners.end(),
                                   [name](const LauncherManner& m) { return m.name == name; });
  return found == kManners.end() ? nullptr : found;
}

bool is_mpi_launcher(std::string_view name) { return is_one_of(kMpiLaunchers, name); }

bool reaches_another_machine(std::string_view name) { return is_one_of(kRemote, name); }

}  // namespace pw
