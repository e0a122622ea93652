#include "fresh_copy.hpp"

#include <unistd.h>

namespace pw::bench {

namespace fs = std::filesystem;

FreshCopies::FreshCopies(const fs::path& parent)
    : folder_(parent / ("contenders." + std::to_string(getpid()))) {
  fs::create_directory(folder_);
}

FreshCopies::~FreshCopies() {
  std::error_code ignored;
  fs::remove_all(folder_, ignored);
}

std::string FreshCopies::add(const std::string& program) const {
  const fs::path copy = folder_ / fs::path(program).filename();
  fs::copy_file(program, copy);
  return copy.string();
}

}  // namespace pw::bench
