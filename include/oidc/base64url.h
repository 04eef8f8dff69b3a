// Base64 with the URL alphabet and no padding (RFC 7515 section 2, RFC 4648 section 5).
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "oidc/result.h"

namespace oidc {

[[nodiscard]] std::string base64url_encode(std::string_view bytes);
// Strict: no padding, no white space, no other alphabet, no stray bits in the last character.
// Fails with Errc::malformed.
[[nodiscard]] Result<std::string> base64url_decode(std::string_view text);
// The standard alphabet with padding (RFC 4648 section 4), for HTTP Basic (RFC 7617).
[[nodiscard]] std::string base64_encode(std::string_view bytes);

// For the hot path: decodes at most out.size() bytes; the decoded length, or -1.
[[nodiscard]] int base64url_decode_into(std::string_view text, std::span<unsigned char> out) noexcept;

}  // namespace oidc
