#include <unistd.h>

#include "verbs/verb.hpp"

// The first act is to block the signals that we handle, so that none is lost from here on. We leave
// by _exit: there is nothing to tidy that the kernel does not tidy faster.
int main(int argc, char** argv) {
  pw::Beginning beginning;
  beginning.signals = pw::block_handled_signals();
  beginning.closed_fds = pw::fill_closed_standard_fds();
  _exit(pw::perform(beginning, {argv + 1, argv + argc}));
}
