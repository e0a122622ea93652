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

std::string FreshCopies::add(const std::string& program) {
  copy(program);
  programs_.push_back(program);
  return place_of(program);
}

void FreshCopies::renew() const {
  for (const std::string& program : programs_) {
    fs::remove(place_of(program));
    copy(program);
  }
}

void FreshCopies::copy(const std::string& program) const {
  fs::copy_file(program, place_of(program));
}

std::string FreshCopies::place_of(const std::string& program) const {
  return (folder_ / fs::path(program).filename()).string();
}

}  // namespace pw::bench
