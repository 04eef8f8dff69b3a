// Requests whose credential the token endpoint exchanges for tokens: oidc_auth_methods refresh_token,
// password and client_credentials.
#pragma once

#include "access_token_flow.h"
#include "oidc/flow.h"
#include "oidc/presented_grant.h"
#include "token_extras.h"

namespace oidc {

[[nodiscard]] PresentedGrant presented_grant(const Settings& settings, const RequestFacts& facts);

// The request is decided by this credential alone.
[[nodiscard]] Task<Outcome> grant_flow(Services& services, Facts facts, PresentedGrant presented);

// ---- the call ----------------------------------------------------------------------------------

struct GrantCall {
  PresentedGrant grant;
  TokenExtras extras;
  std::string who;  // whose failures count together: name and address, hashed; empty: nobody's
};
struct GrantedTokens {
  TokenSession session;
  std::optional<std::uint64_t> keys;  // the version of the key sets that verified the access token
  bool verified = false;              // here: then only what has `keys` may be kept
  bool asked = false;                 // the introspection endpoint was asked about it as well
  std::vector<std::pair<std::string, std::string>> replay;
};
// The token endpoint's answer, verified: the ID token as at a login, the access token as a bearer
// token is. credential_rejected where the provider refuses; the rules are not asked.
[[nodiscard]] Task<Result<GrantedTokens>> redeem_grant(Services& services,
                                                       std::shared_ptr<const GrantCall> call);

// Wrong names and passwords of one caller in the last minute: credential_throttled when they are too
// many.
[[nodiscard]] Result<void> check_failures(Services& services, const std::string& who);
void count_failure(Services& services, const std::string& who);

}  // namespace oidc
