// A regular expression as it is written: what Pattern is made of.
#pragma once

#include <string_view>
#include <utility>
#include <vector>

#include "oidc/result.h"

namespace oidc {

struct CharacterSet {
  std::vector<std::pair<char32_t, char32_t>> ranges;  // first and last
  bool negated = false;

  [[nodiscard]] bool contains(char32_t character) const noexcept {
    for (const auto& [first, last] : ranges) {
      if (character >= first && character <= last) return !negated;
    }
    return negated;
  }
};

struct PatternNode {
  enum class Kind : unsigned char { set, sequence, choice, repeat };
  static constexpr unsigned kEndless = ~0U;

  Kind kind = Kind::sequence;
  CharacterSet set;
  std::vector<PatternNode> parts;    // of repeat: one
  unsigned least = 0, most = kEndless;  // of repeat
};

// Errc::malformed; the detail says what is not understood.
[[nodiscard]] Result<PatternNode> parse_pattern(std::string_view expression);

}  // namespace oidc
