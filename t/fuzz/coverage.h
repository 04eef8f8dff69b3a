// Which blocks of the code an input reaches, where the code was compiled with
// -fsanitize-coverage=trace-pc (g++ and clang); else every input reaches nothing.
#pragma once

#include <cstddef>

namespace oidc::fuzz {

void begin_coverage() noexcept;
// Ends it; true when a block was reached for the first time, or far more often than ever.
bool end_coverage() noexcept;
// All blocks reached so far.
[[nodiscard]] std::size_t blocks_reached() noexcept;

}  // namespace oidc::fuzz
