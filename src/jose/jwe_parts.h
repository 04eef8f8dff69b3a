// The steps of decryption: the content's key, then the content.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "../crypto/openssl.h"
#include "oidc/jwe.h"
#include "oidc/secret.h"

namespace oidc {

struct JweParts {
  JweAlg alg{};
  JweEnc enc{};
  std::string kid;  // empty: none
  Json ephemeral;   // epk; null: none
  std::string party_u, party_v;
  std::string_view protected_header;  // as it came: the additional data
  std::string encrypted_key, iv, ciphertext, tag;
};

// Bytes of the content's key.
[[nodiscard]] std::size_t content_key_size(JweEnc enc) noexcept;

// The content's key; nullopt for whatever is wrong.
[[nodiscard]] std::optional<Secret> content_key(const JweParts& parts, const DecryptionKey& key);
// The shared secret of ECDH (RFC 7518 section 4.6), where `ephemeral` is a point of the key's own
// curve.
[[nodiscard]] std::optional<Secret> agreed_secret(EVP_PKEY* own, const Json& ephemeral);
// AES Key Wrap (RFC 3394).
[[nodiscard]] std::optional<Secret> unwrap_key(const Secret& with, std::string_view wrapped);

// The content; nullopt when it does not authenticate. `key` has content_key_size() bytes.
[[nodiscard]] std::optional<std::string> open_content(const JweParts& parts, const Secret& key);

}  // namespace oidc
