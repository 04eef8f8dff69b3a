// Access tokens that are JWTs: what their header and claims must be (RFC 9068, RFC 7519, and
// RFC 8725 section 3.11 for what they must not be). Their signature is checked apart, with jose.h.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "oidc/jose.h"
#include "oidc/result.h"
#include "oidc/time.h"

namespace oidc {

struct AccessTokenExpectations {
  std::string_view issuer;
  const std::vector<std::string>* issuers = nullptr;  // instead of `issuer`, when not empty
  std::string_view typ;  // the header's, in lower case; empty: any that is no other kind's
  bool ignore_confirmation = false;
  Seconds now = 0;
  Seconds leeway = 0;
};

struct AccessTokenFacts {
  std::string subject;  // empty: none
  std::string scope;    // words with one space between them
  Seconds expires = 0;
  std::string acr;        // RFC 9470 section 6; empty: none
  Seconds auth_time = 0;  // 0: none
  std::string answer_jwt; // what the provider said of it, as it was signed, where that is wanted
  std::string jwk;        // who signed it, where that is wanted (HeaderSettings::keep_jwk)
};

// Fails with access_token_kind, _iss, _exp, _nbf, _iat or _bound.
[[nodiscard]] Result<AccessTokenFacts> check_access_token(const Jwt& jwt,
                                                          const AccessTokenExpectations& expected);

// The same for what an introspection endpoint said (RFC 7662): what it does not say is not checked,
// and `expires` is 0 then.
[[nodiscard]] Result<AccessTokenFacts> check_introspected(const Json& claims,
                                                          const AccessTokenExpectations& expected);

// Whether header and claims are those of an access token, not of another kind (access_token_kind).
[[nodiscard]] Result<void> check_access_token_kind(const Jwt& jwt, std::string_view typ);

}  // namespace oidc
