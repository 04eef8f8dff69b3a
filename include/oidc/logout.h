// Logout as the provider sees it: RP-Initiated Logout 1.0, and the logout token of Back-Channel
// Logout 1.0 (with errata 1).
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "oidc/jose.h"
#include "oidc/result.h"
#include "oidc/time.h"

namespace oidc {

// The end_session URL. The hint is dropped when the URL would pass 4 kB; client_id is always there.
// What is empty is left out.
[[nodiscard]] std::string end_session_url(std::string_view endpoint, std::string_view client_id,
                                          std::string_view id_token_hint,
                                          std::string_view post_logout_redirect_uri,
                                          std::string_view state = {});

struct LogoutTokenExpectations {
  std::string_view issuer;
  std::string_view client_id;
  const std::vector<std::string>* further_audiences = nullptr;
  Seconds now = 0;
  Seconds leeway = 0;
  bool exp_required = true;  // else iat within five minutes does
};

struct LogoutTokenFacts {
  std::string subject;       // at least one of these two
  std::string provider_sid;
  std::string jti;
  Seconds valid_until = 0;   // so long the jti must be remembered
};

// Whose token this says it is, before anything of it was verified.
[[nodiscard]] bool is_logout_token_for(const Jwt& jwt, std::string_view issuer,
                                       std::string_view client_id);
// Type and claims (sections 2.4 and 2.6); the signature is checked by the caller. Fails with
// logout_token_invalid and the check that failed.
[[nodiscard]] Result<LogoutTokenFacts> check_logout_token(const Jwt& jwt,
                                                          const LogoutTokenExpectations& expected);

}  // namespace oidc
