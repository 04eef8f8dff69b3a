// The token endpoint: RFC 6749 section 4.1.3, 5 and 6.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "oidc/form.h"
#include "oidc/io.h"
#include "oidc/result.h"
#include "oidc/time.h"

namespace oidc {

[[nodiscard]] Form code_grant(std::string_view code, std::string_view redirect_uri,
                              std::string_view code_verifier);
[[nodiscard]] Form refresh_grant(std::string_view refresh_token);
// RFC 6749 sections 4.3 and 4.4; `scope` may be empty.
[[nodiscard]] Form password_grant(std::string_view user, std::string_view password,
                                  std::string_view scope);
[[nodiscard]] Form client_credentials_grant(std::string_view scope);
// RFC 7009 section 2.1; `hint` is "access_token" or "refresh_token".
[[nodiscard]] Form revocation_request(std::string_view token, std::string_view hint);

struct TokenResponse {
  std::string access_token;
  std::string id_token;       // empty: none
  std::string id_token_jwk;   // who signed it, as its verification says; not in the answer
  std::string refresh_token;  // empty: none
  std::string scope;
  Seconds access_expires = 0;  // 0: unknown; in the past when expires_in is zero or no number
  std::vector<std::pair<std::string, std::string>> replay;  // oidc_token_headers_replay
};

// Fails with token_request_rejected (invalid_grant and the like), token_client_rejected,
// provider_overloaded (5xx, 429), provider_status, provider_answer_invalid, access_token_missing or
// token_type_unsupported.
[[nodiscard]] Result<TokenResponse> read_token_response(const HttpResponse& response, Seconds now);

}  // namespace oidc
