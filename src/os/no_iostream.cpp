#include <ios>

// Boost and yaml-cpp include <iostream>, whose initialiser sets up cout, cin and cerr at every
// start: 40 of 600 microseconds, for streams that nobody here uses. In the static executable these
// empty ones are linked in its place; string streams and locales do without it (docs/architecture).
std::ios_base::Init::Init() {}
std::ios_base::Init::~Init() {}
