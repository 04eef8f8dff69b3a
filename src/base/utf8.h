// One character after the other.
#pragma once

#include <cstddef>
#include <optional>
#include <string_view>

namespace oidc {

// The character at the front, which is taken off; nullopt where it is not well-formed (RFC 3629): then
// nothing is taken. The text is not empty.
[[nodiscard]] std::optional<char32_t> take_character(std::string_view& text) noexcept;

[[nodiscard]] inline bool is_utf8(std::string_view text) noexcept {
  while (!text.empty()) {
    if (!take_character(text)) return false;
  }
  return true;
}

}  // namespace oidc
