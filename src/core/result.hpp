#pragma once
#include <boost/system/result.hpp>
#include <stdexcept>
#include <string>
#include <system_error>
#include <utility>

namespace pw {

/// What was tried ("open /run/a.pid") and why it failed; an empty `why` means that `what` says it.
struct Error {
  std::string what;
  std::error_code why;

  // Not an aggregate: as one it could be made of a string alone, which Result could not tell from
  // its value.
  Error() = default;
  Error(std::string tried, std::error_code reason) : what(std::move(tried)), why(reason) {}
  std::string text() const { return why ? what + ": " + why.message() : what; }
};

template <class T>
using Result = boost::system::result<T, Error>;

/// Found by argument-dependent lookup from Result::value(); a caller that has not asked first.
[[noreturn]] inline void throw_exception_from_error(const Error& error,
                                                    const boost::source_location&) {
  throw std::runtime_error(error.text());
}

}  // namespace pw

#define PW_JOIN_(a, b) a##b
#define PW_JOIN(a, b) PW_JOIN_(a, b)

/// PW_TRY(Fd file, open_for_read(path)); declares `file`, or returns the Error to our caller.
#define PW_TRY(declaration, expression)                                                \
  auto PW_JOIN(tried_, __LINE__) = (expression);                                       \
  if (!PW_JOIN(tried_, __LINE__)) return std::move(PW_JOIN(tried_, __LINE__)).error(); \
  declaration = std::move(*PW_JOIN(tried_, __LINE__))
