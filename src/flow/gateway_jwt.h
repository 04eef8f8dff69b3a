// oidc_upstream_jwt: what the gateway itself says of the user, signed.
#pragma once

#include <string>

#include "oidc/prepared_headers.h"

namespace oidc {

// Empty: the identity has no subject, and nothing can be said of it. `provider`: the issuer whose
// subject it is, unless a token names its own.
[[nodiscard]] std::string sign_gateway_jwt(const GatewayJwt& settings, std::string_view provider,
                                           const SessionRecord& record, const HeaderClaims& claims,
                                           Seconds now);
// The end of one that is made now: never beyond that of the session, or of the token that is one's own.
[[nodiscard]] Seconds gateway_jwt_end(const GatewayJwt& settings, const SessionRecord& record,
                                      Seconds now) noexcept;
// Until when one that was made now is sent: whoever gets it has half of its life left.
[[nodiscard]] Seconds gateway_jwt_until(const GatewayJwt& settings, const SessionRecord& record,
                                        Seconds now) noexcept;

}  // namespace oidc
