// The userinfo endpoint (OpenID Connect Core 5.3): what the provider says of the user whose access
// token it is.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "oidc/io.h"
#include "oidc/jose.h"
#include "oidc/json.h"
#include "oidc/result.h"
#include "oidc/time.h"

namespace oidc {

inline constexpr std::size_t kMaxUserinfo = 32 * 1024;
inline constexpr std::string_view kSignedUserinfo = "application/jwt";

// `accept`: application/json, or application/jwt for signed answers alone.
[[nodiscard]] HttpRequest userinfo_request(const std::string& endpoint, const std::string& accept,
                                           std::string_view access_token);

struct UserinfoAnswer {
  Json claims;
  std::shared_ptr<const Jwt> jwt;  // a signed answer, not verified yet; null: a plain one
};
// Fails with token_inactive (401, 403), provider_overloaded (5xx, 429) or userinfo_invalid: also for
// a plain answer where a signed one was asked for.
[[nodiscard]] Result<UserinfoAnswer> read_userinfo(const HttpResponse& response,
                                                   std::string_view accept);

struct UserinfoExpectations {
  std::string_view issuer, client_id;
  std::string_view subject;  // of the ID token, or of the access token; empty: whoever it is
  Seconds now = 0;
  Seconds leeway = 0;
};
// Section 5.3.2: there is a `sub`, and it is the one expected (userinfo_sub). Of a signed answer iss,
// aud and exp must be right where they are there (userinfo_invalid).
[[nodiscard]] Result<void> check_userinfo(const UserinfoAnswer& answer,
                                          const UserinfoExpectations& expected);

}  // namespace oidc
