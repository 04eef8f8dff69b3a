#pragma once

#include <memory>

#include "../crypto/openssl.h"
#include "oidc/json.h"

namespace oidc {

// The key pair of a private JWK (RFC 7518 section 6, RFC 8037); nullptr when it is none.
// Whether its private and its public part belong together is not looked at.
[[nodiscard]] std::shared_ptr<EVP_PKEY> private_key(const Json& jwk);

}  // namespace oidc
