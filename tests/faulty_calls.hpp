#pragma once
#include <cstdint>
#include <string>

/// What the linker puts between the program and the calls that tests/CMakeLists.txt names
/// (faulty_calls). Without a table each is passed on. preempt-wrap-faulty reads its table from
/// PW_TEST_FAULTS, comma separated rows `call:which:what`:
///   call   symlinkat, ... or `any`, which counts all of them but clock_gettime
///   which  `3` the third of this process, `2-40`, `1-` from the first on
///   what   an error (ENOSPC ...) · `empty` returns 0 · `exists-after` does it, then EEXIST ·
///          `kill-before`, `kill-after` · `hang` · `nfs`, `gpfs` (fstatfs): another filesystem
/// Each process counts its own calls, a forked child from zero. A table that cannot be read ends
/// the program. PW_TEST_CLOCK_AHEAD: seconds that CLOCK_REALTIME is ahead. PW_TEST_LOCKS: a file
/// that gets a line for each lock that is let go: process, for how long (ns), calls so far.
namespace faulty {

/// For tests inside the process: another table, and counting from zero.
void set(const std::string& table);

/// Made so far, of `any`.
int calls();

/// How far clocks are ahead, in seconds.
struct Clocks {
  std::int64_t real = 0;
  std::int64_t monotonic = 0;
};
void set(Clocks ahead);

}  // namespace faulty
