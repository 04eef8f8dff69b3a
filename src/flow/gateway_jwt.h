// oidc_upstream_jwt: what the gateway itself says of the user, signed.
#pragma once

#include <string>

#include "oidc/prepared_headers.h"

namespace oidc {

// Empty: the identity has no subject, and nothing can be said of it.
[[nodiscard]] std::string sign_gateway_jwt(const GatewayJwt& settings, const SessionRecord& record,
                                           const HeaderClaims& claims, Seconds now);
// Until when one that was made now is sent: whoever gets it has half of its life left.
[[nodiscard]] Seconds gateway_jwt_until(const GatewayJwt& settings, Seconds now) noexcept;

}  // namespace oidc
