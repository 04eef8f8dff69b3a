// The provider's metadata (OpenID Connect Discovery 1.0 section 4, RFC 8414).
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "oidc/jose.h"
#include "oidc/result.h"
#include "oidc/settings.h"

namespace oidc {

struct ProviderMetadata {
  std::string issuer;
  std::string authorization_endpoint;
  std::string token_endpoint;
  std::string jwks_uri;
  std::string end_session_endpoint;  // empty: none
  std::string revocation_endpoint;   // empty: none (RFC 7009)
  std::string introspection_endpoint;  // empty: none (RFC 7662)
  std::string userinfo_endpoint;       // empty: none
  // mtls_endpoint_aliases (RFC 8705 section 5); empty: the endpoint itself.
  std::string mtls_token_endpoint, mtls_revocation_endpoint, mtls_introspection_endpoint;
  // Absent in the document: nullopt.
  std::optional<std::vector<std::string>> code_challenge_methods;
  std::optional<std::vector<std::string>> token_endpoint_auth_methods;
  std::optional<AlgSet> id_token_algs;
  bool iss_parameter = false;  // authorization_response_iss_parameter_supported (RFC 9207)
};

// A terminating '/' of the issuer is removed before the well-known path is appended.
[[nodiscard]] std::string discovery_url(std::string_view issuer);

// Reads the document and applies the configured overrides. Fails with discovery_invalid or
// discovery_issuer_mismatch (both strings in the detail). An https issuer has only https endpoints.
[[nodiscard]] Result<ProviderMetadata> parse_discovery(std::string_view document,
                                                       const ProviderSettings& settings);
// What the configuration alone says (oidc_using_pseudo_issuer).
[[nodiscard]] ProviderMetadata pseudo_metadata(const ProviderSettings& settings);

}  // namespace oidc
