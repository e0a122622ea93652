#pragma once
#include "contender.hpp"
#include "report.hpp"
#include "run.hpp"

// Each measures one or two rows of section 13, all contenders interleaved.
namespace pw::bench {

Finding measure_start(Field& field);       // start and exit overhead
Finding measure_relay(Field& field);       // p50
Finding measure_escalation(Field& field);  // error of the grace
Finding measure_storm(Field& field);       // 10,000 signals
Finding measure_race(Field& field);        // a signal in the first 5 ms
Finding measure_size(Field& field);        // of the binary

}  // namespace pw::bench
