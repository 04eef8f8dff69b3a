// RSAES-OAEP (RFC 8017 section 7.1), MGF1 with the same hash and an empty label.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "../crypto/openssl.h"
#include "oidc/secret.h"

namespace oidc {

enum class OaepHash : std::uint8_t { sha1, sha256 };

[[nodiscard]] std::string oaep_encrypt(EVP_PKEY* key, OaepHash hash, std::string_view text);
// nullopt when it does not open.
[[nodiscard]] std::optional<Secret> oaep_decrypt(EVP_PKEY* key, OaepHash hash,
                                                 std::string_view sealed);

}  // namespace oidc
