#pragma once
#include <doctest/doctest.h>
#include <stdlib.h>

#include <filesystem>
#include <string>

#include "faulty_calls.hpp"

/// A temporary folder; faults and clocks are put right again at its end.
class FaultyFolder {
 public:
  FaultyFolder() { REQUIRE(mkdtemp(path_.data()) != nullptr); }
  FaultyFolder(const FaultyFolder&) = delete;
  ~FaultyFolder() {
    faulty::set("");
    faulty::set(faulty::Clocks{});
    std::filesystem::remove_all(path_);
  }
  const std::string& root() const { return path_; }

 private:
  std::string path_ = "/tmp/pw-os-XXXXXX";
};
