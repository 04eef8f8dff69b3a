// The userinfo of a session that is there: oidc_userinfo missing, and its refresh.
#pragma once

#include <memory>

#include "oidc/flow.h"
#include "oidc/refreshes.h"
#include "oidc/token_endpoint.h"

namespace oidc {

// oidc_userinfo missing: the tokens do not have all claims that rules and headers read.
[[nodiscard]] bool lacks_claims(const Settings& settings, const TokenResponse& tokens);

// Whether the provider is to be asked before the request goes on: the answer is too old, or was never
// needed before.
[[nodiscard]] bool is_userinfo_wanted(const Settings& settings, const OpenSession& session,
                                      Seconds now);
// Asks, and stores. An older answer serves a while longer where the provider cannot be asked; ended:
// the provider wants the access token no more.
[[nodiscard]] Task<RefreshResult> renew_userinfo(Services& services,
                                                 std::shared_ptr<const OpenSession> session);

}  // namespace oidc
