// Token introspection (RFC 7662): the answer of the endpoint.
#pragma once

#include "oidc/form.h"
#include "oidc/io.h"
#include "oidc/json.h"
#include "oidc/result.h"

namespace oidc {

inline constexpr std::size_t kMaxIntrospection = 64 * 1024;

// The members of an active token. Fails with token_inactive; with provider_overloaded (5xx, 429) or
// introspection_invalid for an answer that says nothing. Without `active_required` the member may be
// missing, but a false one is still a no.
[[nodiscard]] Result<Json> read_introspection(const HttpResponse& response, bool active_required);

}  // namespace oidc
