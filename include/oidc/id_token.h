// The ID token's claims (OpenID Connect Core 3.1.3.7, 3.3.2.11 for the hashes, 12.2 at refresh).
// Its signature is checked before, with jose.h.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "oidc/jose.h"
#include "oidc/result.h"
#include "oidc/time.h"

namespace oidc {

struct IdTokenExpectations {
  std::string_view issuer;
  std::string_view client_id;
  const std::vector<std::string>* further_audiences = nullptr;
  Seconds now = 0;
  Seconds leeway = 0;
  // A login: the nonce must be there and equal. A refresh: equal if there (Core 12.2).
  std::string_view nonce;
  bool nonce_required = true;
  std::string_view access_token;  // for at_hash, if the token has one
  std::string_view code;          // for c_hash, if the token has one
  std::optional<Seconds> max_age;           // then auth_time is required
  const std::vector<std::string>* acr_values = nullptr;  // not empty: acr must be one of them
  // At a refresh, the original token's; empty and 0 at a login.
  std::string_view subject;
  Seconds auth_time = 0;
};

struct IdTokenFacts {
  std::string subject;
  std::string provider_sid;  // empty: none
  std::string acr;           // empty: none
  Seconds auth_time = 0;     // 0: none
  std::string jwk;           // who signed it, where that is wanted (HeaderSettings::keep_jwk)
};

[[nodiscard]] Result<IdTokenFacts> check_id_token(const Jwt& jwt,
                                                  const IdTokenExpectations& expected);

}  // namespace oidc
