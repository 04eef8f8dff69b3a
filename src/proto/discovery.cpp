#include "oidc/discovery.h"

#include <nlohmann/json.hpp>

#include "oidc/json.h"
#include "oidc/url.h"

namespace oidc {
namespace {

constexpr std::string_view kWellKnown = "/.well-known/openid-configuration";

struct Endpoint {
  const char* name;
  std::string ProviderMetadata::* member;
  std::string ProviderSettings::* override_;
  bool required;
};

constexpr Endpoint kEndpoints[] = {
    {"authorization_endpoint", &ProviderMetadata::authorization_endpoint,
     &ProviderSettings::authorization_endpoint, true},
    {"token_endpoint", &ProviderMetadata::token_endpoint, &ProviderSettings::token_endpoint, true},
    {"jwks_uri", &ProviderMetadata::jwks_uri, &ProviderSettings::jwks_endpoint, true},
    {"end_session_endpoint", &ProviderMetadata::end_session_endpoint,
     &ProviderSettings::end_session_endpoint, false},
    {"revocation_endpoint", &ProviderMetadata::revocation_endpoint,
     &ProviderSettings::revocation_endpoint, false},
    {"introspection_endpoint", &ProviderMetadata::introspection_endpoint,
     &ProviderSettings::introspection_endpoint, false},
    {"userinfo_endpoint", &ProviderMetadata::userinfo_endpoint,
     &ProviderSettings::userinfo_endpoint, false},
};

Result<void> check_endpoint(const char* name, const std::string& url, bool https_only) {
  const Result<Url> parsed = parse_url(url);
  if (!parsed || parsed->has_fragment) {
    return Error{Errc::discovery_invalid, std::string(name) + " is not an absolute URL"};
  }
  if (https_only && parsed->scheme != "https") {
    return Error{Errc::discovery_invalid, std::string(name) + " is not https as the issuer is"};
  }
  return {};
}

struct Alias {
  const char* name;
  std::string ProviderMetadata::* alias;
  std::string ProviderSettings::* override_;
};
constexpr Alias kAliases[] = {
    {"token_endpoint", &ProviderMetadata::mtls_token_endpoint,
     &ProviderSettings::token_endpoint},
    {"revocation_endpoint", &ProviderMetadata::mtls_revocation_endpoint, &ProviderSettings::revocation_endpoint},
    {"introspection_endpoint", &ProviderMetadata::mtls_introspection_endpoint, &ProviderSettings::introspection_endpoint},
};

// What is configured is meant for mTLS too.
Result<void> read_aliases(const Json& document, const ProviderSettings& settings, bool https_only,
                          ProviderMetadata& metadata) {
  const auto aliases = document.find("mtls_endpoint_aliases");
  if (aliases == document.end() || !aliases->is_object()) return {};
  for (const Alias& alias : kAliases) {
    if (!(settings.*alias.override_).empty()) continue;
    std::string url = json_string(*aliases, alias.name).value_or("");
    if (url.empty()) continue;
    Result<void> checked = check_endpoint(alias.name, url, https_only);
    if (!checked) return checked;
    metadata.*alias.alias = std::move(url);
  }
  return {};
}

AlgSet known_algs(const std::vector<std::string>& names) {
  AlgSet algs;
  for (const std::string& name : names) {
    if (const std::optional<Alg> alg = parse_alg(name)) algs.add(*alg);
  }
  // Providers announce "EdDSA" for what RFC 9864 names "Ed25519", and the other way round.
  if (algs.has(Alg::EdDSA)) algs.add(Alg::Ed25519);
  if (algs.has(Alg::Ed25519)) algs.add(Alg::EdDSA);
  return algs;
}

}  // namespace

std::string discovery_url(std::string_view issuer) {
  if (issuer.ends_with('/')) issuer.remove_suffix(1);
  return std::string(issuer).append(kWellKnown);
}

Result<ProviderMetadata> parse_discovery(std::string_view document,
                                         const ProviderSettings& settings) {
  Result<Json> json = parse_json_object(document);
  if (!json) return Error{Errc::discovery_invalid, json.error().detail};
  ProviderMetadata metadata;
  metadata.issuer = json_string(*json, "issuer").value_or("");
  if (metadata.issuer != settings.issuer) {
    return Error{Errc::discovery_issuer_mismatch,
                 "the document says \"" + metadata.issuer.substr(0, 256) +
                     "\", oidc_issuer says \"" + settings.issuer + "\""};
  }
  const bool https_only = settings.issuer.starts_with("https:");
  for (const Endpoint& endpoint : kEndpoints) {
    std::string& url = metadata.*endpoint.member;
    const std::string& configured = settings.*endpoint.override_;
    if (!configured.empty()) {
      url = configured;
      continue;
    }
    url = json_string(*json, endpoint.name).value_or("");
    if (url.empty() && !endpoint.required) continue;
    Result<void> checked = check_endpoint(endpoint.name, url, https_only);
    if (!checked) return std::move(checked).error();
  }
  Result<void> aliases = read_aliases(*json, settings, https_only, metadata);
  if (!aliases) return std::move(aliases).error();
  metadata.code_challenge_methods = json_strings(*json, "code_challenge_methods_supported");
  metadata.token_endpoint_auth_methods =
      json_strings(*json, "token_endpoint_auth_methods_supported");
  if (const auto names = json_strings(*json, "id_token_signing_alg_values_supported")) {
    metadata.id_token_algs = known_algs(*names);
  }
  metadata.iss_parameter =
      json_bool(*json, "authorization_response_iss_parameter_supported").value_or(false);
  return metadata;
}

ProviderMetadata pseudo_metadata(const ProviderSettings& settings) {
  ProviderMetadata metadata;
  metadata.issuer = settings.issuer;
  for (const Endpoint& endpoint : kEndpoints) {
    metadata.*endpoint.member = settings.*endpoint.override_;
  }
  return metadata;
}

}  // namespace oidc
