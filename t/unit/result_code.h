// What a Result says, as a value that EXPECT_EQ can print.
#pragma once

#include <ostream>

#include "oidc/result.h"

namespace oidc {

inline void PrintTo(Errc code, std::ostream* out) {
  *out << info(code).code;
}

}  // namespace oidc

namespace oidc::test {

// Errc::none for a value.
template <class T>
[[nodiscard]] Errc code_of(const Result<T>& result) {
  return result ? Errc::none : result.error().code;
}

}  // namespace oidc::test
