// Token introspection (RFC 7662): the answer of the endpoint.
#pragma once

#include "oidc/form.h"
#include "oidc/io.h"
#include "oidc/jose.h"
#include "oidc/json.h"
#include "oidc/result.h"
#include "oidc/time.h"

namespace oidc {

inline constexpr std::size_t kMaxIntrospection = 64 * 1024;
inline constexpr std::string_view kSignedIntrospection = "application/token-introspection+jwt";

// The members of an active token. Fails with token_inactive; with provider_overloaded (5xx, 429) or
// introspection_invalid for an answer that says nothing. Without `active_required` the member may be
// missing, but a false one is still a no.
[[nodiscard]] Result<Json> read_introspection(const HttpResponse& response, bool active_required);

// A signed answer (RFC 9701): its JWT, not verified yet. Fails as read_introspection does, also for a
// plain answer.
[[nodiscard]] Result<Jwt> read_signed_introspection(const HttpResponse& response);

struct IntrospectionExpectations {
  std::string_view issuer, client_id;
  Seconds now = 0;
  Seconds leeway = 0;
};
// Section 5 of it, after the signature: typ, iss, aud, iat, and what `token_introspection` says.
// Fails with token_inactive or introspection_invalid.
[[nodiscard]] Result<Json> check_signed_introspection(const Jwt& jwt,
                                                      const IntrospectionExpectations& expected,
                                                      bool active_required);

}  // namespace oidc
