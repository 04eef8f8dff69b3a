// Token revocation (RFC 7009).
#pragma once

#include "oidc/flow.h"

namespace oidc {

// What oidc_logout_revoke says for these tokens, in the worker: nobody waits for it, a failure is
// logged. Empty tokens are none.
void revoke_tokens(Services& services, std::string access_token, std::string refresh_token);

}  // namespace oidc
