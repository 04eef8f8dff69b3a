// Hexadecimal digits, for the percent-encodings.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace oidc {

constexpr int hex_value(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

constexpr bool is_hex_digit(char c) {
  return hex_value(c) >= 0;
}

// The byte that the first two digits of `text` spell.
constexpr std::optional<char> hex_byte(std::string_view text) {
  if (text.size() < 2 || !is_hex_digit(text[0]) || !is_hex_digit(text[1])) return std::nullopt;
  return static_cast<char>(hex_value(text[0]) << 4 | hex_value(text[1]));
}

inline void append_percent_encoded(std::string& out, char c) {
  constexpr std::string_view kDigits = "0123456789ABCDEF";
  const auto byte = static_cast<unsigned char>(c);
  out.push_back('%');
  out.push_back(kDigits[byte >> 4]);
  out.push_back(kDigits[byte & 15]);
}

}  // namespace oidc
