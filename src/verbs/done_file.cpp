#include "verbs/done_file.hpp"

#include "config/environment.hpp"
#include "core/exit_status.hpp"
#include "os/clock.hpp"
#include "os/helper.hpp"
#include "os/loop.hpp"

namespace pw {
namespace {

constexpr Nanos kLimit = Seconds(10);

}  // namespace

bool done_file_exists(const std::string& path, const SignalFd& signals) {
  auto test = Helper::start({"/bin/sh", "-c", "test -e \"$0\"", path}, trainer_environment(),
                            Helper::Output::to_stderr, monotonic_now() + kLimit);
  if (!test) return false;
  for (;;) {
    if (const auto ending = test->reap()) return *ending == Ending{Ending::Kind::exited, 0};
    if (monotonic_now() >= test->limit()) {
      test->kill();
      return false;
    }
    wait_for(signals, {}, test->limit());
  }
}

}  // namespace pw
