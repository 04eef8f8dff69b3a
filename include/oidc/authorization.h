// The authorization request and its answer (RFC 6749 section 4.1, OpenID Connect Core 3.1.2,
// RFC 7636, RFC 9207).
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "oidc/discovery.h"
#include "oidc/form.h"
#include "oidc/result.h"
#include "oidc/settings.h"

namespace oidc {

// 32 random bytes, base64url: RFC 7636 section 4.1.
[[nodiscard]] std::string make_code_verifier();
[[nodiscard]] std::string code_challenge_s256(std::string_view code_verifier);
// 128 random bits or more, base64url.
[[nodiscard]] std::string make_nonce();

// Whether this login sends a challenge. Fails with pkce_unsupported when the provider advertises
// methods without S256: a login never falls back to `plain`.
[[nodiscard]] Result<bool> use_pkce(const Settings& settings, const ProviderMetadata& metadata);

struct AuthorizationRequest {
  std::string redirect_uri;
  std::string state;
  std::string nonce;
  std::string code_challenge;  // empty: no PKCE
  std::vector<std::pair<std::string, std::string>> extra;  // configured, evaluated, then the client's
};

[[nodiscard]] std::string authorization_url(const Settings& settings,
                                            const ProviderMetadata& metadata,
                                            const AuthorizationRequest& request);

// Parameters that belong to the protocol: no configuration and no client may add one.
[[nodiscard]] bool is_protocol_parameter(std::string_view name);

struct AuthorizationResponse {
  std::string state;
  std::string code;   // empty: none
  std::optional<std::string> iss;
  std::string error;  // empty: none
};

// Refuses protocol parameters that came more than once (parameter_duplicated), and a missing state
// (state_missing). Both code and error: parameter_malformed.
[[nodiscard]] Result<AuthorizationResponse> read_authorization_response(const Form& form);

// RFC 9207: a present iss is compared always; a missing one is refused where it was announced or
// demanded.
[[nodiscard]] Result<void> check_response_iss(const AuthorizationResponse& response,
                                              const Settings& settings,
                                              const ProviderMetadata& metadata);

// What an `error=` of the provider means for us: access_denied, login_required,
// provider_unavailable or provider_error.
[[nodiscard]] Errc authorization_error(std::string_view error);

}  // namespace oidc
