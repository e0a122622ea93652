#pragma once
#include <stdint.h>

// What a child program tells the bench on its stdout: C and C++ share it.
struct record {
  int32_t what;  // the number of the signal that came; 0: started
  int32_t pid;   // of the child
  int64_t at;    // CLOCK_MONOTONIC in ns
};
