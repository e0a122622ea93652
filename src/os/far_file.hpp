#pragma once
#include <optional>
#include <string>

#include "core/result.hpp"
#include "core/time.hpp"
#include "os/aside.hpp"

namespace pw {

/// A look for a file by a process of its own, since its disk may hang; takes no signal.
class FarLook {
 public:
  static Result<FarLook> at(const std::string& path);

  /// Whether there is such a file, if that is known by `until`.
  std::optional<bool> answer(Instant until);
  /// Nothing more comes; without an answer it may not be looked for.
  bool over() const { return asker_.over(); }
  int fd() const { return asker_.fd(); }

 private:
  explicit FarLook(Aside asker) : asker_(std::move(asker)) {}
  Aside asker_;
};

/// The same for who need do nothing else: waits for at most `limit`.
std::optional<bool> file_is_there(const std::string& path, Nanos limit);

}  // namespace pw
