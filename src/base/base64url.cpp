#include "oidc/base64url.h"

#include <array>
#include <cstdint>
#include <limits>

namespace oidc {
namespace {

using namespace std::string_view_literals;

constexpr std::string_view kUrlAlphabet =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"sv;
constexpr std::string_view kStandardAlphabet =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"sv;

constexpr std::uint8_t kInvalid = 0xff;

constexpr std::array<std::uint8_t, 256> make_decode_table() {
  std::array<std::uint8_t, 256> table{};
  table.fill(kInvalid);
  for (std::size_t i = 0; i < kUrlAlphabet.size(); ++i) {
    table[static_cast<unsigned char>(kUrlAlphabet[i])] = static_cast<std::uint8_t>(i);
  }
  return table;
}
constexpr std::array<std::uint8_t, 256> kDecode = make_decode_table();

std::string encode(std::string_view bytes, std::string_view alphabet, bool pad) {
  std::string out;
  out.reserve((bytes.size() + 2) / 3 * 4);
  std::uint32_t bits = 0;
  unsigned count = 0;
  for (const char c : bytes) {
    bits = bits << 8 | static_cast<unsigned char>(c);
    count += 8;
    while (count >= 6) {
      count -= 6;
      out.push_back(alphabet[bits >> count & 63]);
    }
  }
  if (count > 0) out.push_back(alphabet[bits << (6 - count) & 63]);
  while (pad && out.size() % 4 != 0) out.push_back('=');
  return out;
}

// The decoded size of a text of this length; a single character left over is no base64.
constexpr std::optional<std::size_t> decoded_size(std::size_t length) {
  if (length % 4 == 1) return std::nullopt;
  return length / 4 * 3 + (length % 4 != 0 ? length % 4 - 1 : 0);
}

// `out` has room for the decoded size.
bool decode(std::string_view text, unsigned char* out) noexcept {
  std::uint32_t bits = 0;
  unsigned count = 0;
  for (const char c : text) {
    const std::uint8_t value = kDecode[static_cast<unsigned char>(c)];
    if (value == kInvalid) return false;
    bits = bits << 6 | value;
    count += 6;
    if (count >= 8) {
      count -= 8;
      *out++ = static_cast<unsigned char>(bits >> count & 0xff);
    }
  }
  // The bits that fill up the last character are zero, or one text had several spellings.
  return (bits & ((1U << count) - 1)) == 0;
}

}  // namespace

std::string base64url_encode(std::string_view bytes) {
  return encode(bytes, kUrlAlphabet, false);
}

std::string base64_encode(std::string_view bytes) {
  return encode(bytes, kStandardAlphabet, true);
}

Result<std::string> base64url_decode(std::string_view text) {
  const std::optional<std::size_t> size = decoded_size(text.size());
  if (!size) return Error{Errc::malformed, "not base64url: impossible length"};
  std::string out(*size, '\0');
  if (!decode(text, reinterpret_cast<unsigned char*>(out.data()))) {
    return Error{Errc::malformed, "not base64url"};
  }
  return out;
}

int base64url_decode_into(std::string_view text, std::span<unsigned char> out) noexcept {
  const std::optional<std::size_t> size = decoded_size(text.size());
  if (!size || *size > out.size() ||
      *size > static_cast<std::size_t>(std::numeric_limits<int>::max())) {
    return -1;
  }
  return decode(text, out.data()) ? static_cast<int>(*size) : -1;
}

}  // namespace oidc
