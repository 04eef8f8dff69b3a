// What an algorithm's name says of hashes and paddings (RFC 7518 section 3).
#pragma once

#include "../crypto/openssl.h"
#include "oidc/jose.h"

namespace oidc {

[[nodiscard]] Hash hash_of(Alg alg) noexcept;
[[nodiscard]] bool is_pss(Alg alg) noexcept;
[[nodiscard]] bool is_hmac(Alg alg) noexcept;
// RFC 7518 section 3.5: the salt is as long as the hash, MGF1 uses the same hash.
[[nodiscard]] bool use_pss(EVP_PKEY_CTX* context, const EVP_MD* hash) noexcept;
// Bytes of r, and of s, in an ECDSA signature of this key (RFC 7518 section 3.4).
[[nodiscard]] std::size_t ecdsa_half(KeyType type) noexcept;

}  // namespace oidc
