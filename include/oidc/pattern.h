// Regular expressions that cannot be made slow: all positions of the pattern advance together, so the
// time is at most the pattern's size times the text's, whatever both say.
#pragma once

#include <cstddef>
#include <memory>
#include <string_view>
#include <utility>

#include "oidc/result.h"

namespace oidc {

// The whole text must match. Characters are UTF-8's.
//   x  .  [a-z_]  [^a-z]  \d \w \s \D \W \S  (...)  (?:...)  a|b  * + ? {2} {2,} {2,5}
//   \ before a sign: the sign itself. ^ at the begin and $ at the end are allowed as a pair.
class Pattern {
 public:
  static constexpr std::size_t kMaxPositions = 1000;
  static constexpr std::size_t kMaxText = 4096;  // bytes; what is longer does not match

  // Errc::malformed; the detail says what is not understood.
  [[nodiscard]] static Result<Pattern> compile(std::string_view expression);
  [[nodiscard]] bool matches(std::string_view text) const;

 private:
  struct Program;
  explicit Pattern(std::shared_ptr<const Program> program) : program_(std::move(program)) {}
  std::shared_ptr<const Program> program_;
};

}  // namespace oidc
