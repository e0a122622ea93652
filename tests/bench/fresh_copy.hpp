#pragma once
#include <filesystem>
#include <string>
#include <vector>

namespace pw::bench {

/// Copies of the contenders' programs in a folder of their own, gone with it. The page cache holds
/// what a linker wrote in single pages and what `cp` or a package manager wrote in large ones: that
/// alone is 10 % of a start, so every contender is run as it would be just after it was installed.
class FreshCopies {
 public:
  explicit FreshCopies(const std::filesystem::path& parent);
  FreshCopies(const FreshCopies&) = delete;
  ~FreshCopies();

  std::string add(const std::string& program);
  // What lay badly in the page cache once does so for as long as it lies there.
  void renew() const;

 private:
  void copy(const std::string& program) const;
  std::string place_of(const std::string& program) const;

  std::filesystem::path folder_;
  std::vector<std::string> programs_;
};

}  // namespace pw::bench
