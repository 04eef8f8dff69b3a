#pragma once

#include <optional>

#include "oidc/jose.h"

namespace oidc {

// One member of a key set (RFC 7517 section 4); nullopt when it is of no use to a verifier.
[[nodiscard]] std::optional<Jwk> parse_jwk(const Json& entry);

}  // namespace oidc
