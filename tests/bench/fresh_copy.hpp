#pragma once
#include <filesystem>
#include <string>

namespace pw::bench {

/// Copies of the contenders' programs in a folder of their own, gone with it. The page cache holds
/// what a linker wrote in single pages and what `cp` or a package manager wrote in large ones: that
/// alone is 10 % of a start, so every contender is run as it would be just after it was installed.
class FreshCopies {
 public:
  explicit FreshCopies(const std::filesystem::path& parent);
  FreshCopies(const FreshCopies&) = delete;
  ~FreshCopies();

  std::string add(const std::string& program) const;

 private:
  std::filesystem::path folder_;
};

}  // namespace pw::bench
