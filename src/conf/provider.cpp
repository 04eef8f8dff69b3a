// The provider: issuer, endpoints, how long its documents are kept, how it is called.
#include "oidc/discovery.h"
#include "oidc/presented_grant.h"
#include "setters.h"

namespace oidc {
namespace {

using namespace setters;

constexpr std::string_view kWellKnown = "/.well-known/openid-configuration";
constexpr auto kProvider = &Settings::provider;

Result<void> issuer(SettingsDraft& draft, const DirectiveUse& use) {
  Result<Url> url = parse_http_url(use.words[0]);
  if (!url) return std::move(url).error();
  if (url->has_query) return bad_value(use.words[0], "an issuer has no query");
  draft.issuer = use.words[0];
  return {};
}

template <std::string ProviderSettings::*Endpoint>
Result<void> endpoint(SettingsDraft& draft, const DirectiveUse& use) {
  std::string& target = draft.settings.provider.*Endpoint;
  target.clear();
  if (is_off(use.words)) return {};
  Result<Url> url = parse_http_url(use.words[0]);
  if (!url) return std::move(url).error();
  target = use.words[0];
  return {};
}

template <std::string ProviderSettings::*Proxy>
Result<void> proxy(SettingsDraft& draft, const DirectiveUse& use) {
  std::string& target = draft.settings.provider.*Proxy;
  target.clear();
  if (is_off(use.words)) return {};
  constexpr std::string_view kScheme = "http://";
  const std::string& word = use.words[0];
  // Errors do not show the user and password that may stand before the '@'.
  const std::size_t at = word.rfind('@');
  const std::string without_user =
      at == std::string::npos ? word : std::string(kScheme) + word.substr(at + 1);
  if (!word.starts_with(kScheme) || !parse_origin(without_user)) {
    return bad_value(without_user, "http://[user:password@]host[:port] is expected");
  }
  target = word;
  return {};
}

constexpr Directive kDirectives[] = {
    {"oidc_issuer", 1, 1, Contexts::all, false, "", issuer},
    {"oidc_using_pseudo_issuer", 1, 1, Contexts::all, false, "off", flag_only},
    {"oidc_authorization_endpoint", 1, 1, Contexts::all, false, "off",
     endpoint<&ProviderSettings::authorization_endpoint>},
    {"oidc_token_endpoint", 1, 1, Contexts::all, false, "off",
     endpoint<&ProviderSettings::token_endpoint>},
    {"oidc_jwks_endpoint", 1, 1, Contexts::all, false, "off",
     endpoint<&ProviderSettings::jwks_endpoint>},
    {"oidc_end_session_endpoint", 1, 1, Contexts::all, false, "off",
     endpoint<&ProviderSettings::end_session_endpoint>},
    {"oidc_revocation_endpoint", 1, 1, Contexts::all, false, "off",
     endpoint<&ProviderSettings::revocation_endpoint>},
    {"oidc_introspection_endpoint", 1, 1, Contexts::all, false, "off",
     endpoint<&ProviderSettings::introspection_endpoint>},
    {"oidc_userinfo_endpoint", 1, 1, Contexts::all, false, "off",
     endpoint<&ProviderSettings::userinfo_endpoint>},
    {"oidc_rediscovery_lifetime", 1, 1, Contexts::all, false, "30s",
     seconds<1, kDay, kProvider, &ProviderSettings::rediscovery_lifetime>},
    {"oidc_cache_ttl", 1, 1, Contexts::all, false, "1h",
     seconds<1, 30 * kDay, kProvider, &ProviderSettings::cache_ttl>},
    {"oidc_timeout", 1, 1, Contexts::all, false, "10s",
     milliseconds<100, 60000, kProvider, &ProviderSettings::timeout_ms>},
    {"oidc_keepalive", 1, 1, Contexts::all, false, "on",
     flag<kProvider, &ProviderSettings::keepalive>},
    {"oidc_http_proxy", 1, 1, Contexts::all, false, "off", proxy<&ProviderSettings::http_proxy>},
    {"oidc_https_proxy", 1, 1, Contexts::all, false, "off", proxy<&ProviderSettings::https_proxy>},
    {"oidc_no_proxy", 1, kManyWords, Contexts::all, false, "off",
     texts_or_off<kProvider, &ProviderSettings::no_proxy>},
    {"oidc_ssl_verify", 1, 1, Contexts::all, false, "on",
     flag<kProvider, &ProviderSettings::ssl_verify>},
    {"oidc_ssl_trusted_certificate", 1, 1, Contexts::all, false, "off",
     file_or_off<kProvider, &ProviderSettings::ssl_trusted_certificate>},
    {"oidc_ssl_crl", 1, 1, Contexts::all, false, "off",
     file_or_off<kProvider, &ProviderSettings::ssl_crl>},
};

using Needed = bool (*)(const CredentialSettings&);
bool for_logins(const CredentialSettings& credentials) { return credentials.authorization_code; }
bool for_tokens(const CredentialSettings& credentials) {
  return credentials.authorization_code || accepts_grants(credentials);
}
bool for_keys(const CredentialSettings& credentials) {
  return for_tokens(credentials) || credentials.bearer;
}
bool for_introspection(const CredentialSettings& credentials) { return credentials.introspection; }
bool for_userinfo(const CredentialSettings& credentials) { return credentials.userinfo; }
bool for_nothing(const CredentialSettings&) { return false; }

struct EndpointName {
  std::string_view directive;
  std::string ProviderSettings::*member;
  Needed needed;  // without discovery
};
constexpr EndpointName kEndpoints[] = {
    {"oidc_authorization_endpoint", &ProviderSettings::authorization_endpoint, for_logins},
    {"oidc_token_endpoint", &ProviderSettings::token_endpoint, for_tokens},
    {"oidc_jwks_endpoint", &ProviderSettings::jwks_endpoint, for_keys},
    {"oidc_introspection_endpoint", &ProviderSettings::introspection_endpoint, for_introspection},
    {"oidc_userinfo_endpoint", &ProviderSettings::userinfo_endpoint, for_userinfo},
    {"oidc_end_session_endpoint", &ProviderSettings::end_session_endpoint, for_nothing},
    {"oidc_revocation_endpoint", &ProviderSettings::revocation_endpoint, for_nothing},
};

Result<void> check_endpoints(SettingsDraft& draft) {
  const ProviderSettings& provider = draft.settings.provider;
  for (const EndpointName& endpoint : kEndpoints) {
    const std::string& url = provider.*endpoint.member;
    if (url.empty()) {
      if (provider.discover || !endpoint.needed(draft.settings.credentials)) continue;
      return draft.conflict("oidc_using_pseudo_issuer",
                            std::string(endpoint.directive) + " must be set when it is on");
    }
    if (provider.issuer.starts_with("https:") && !url.starts_with("https:")) {
      return draft.conflict(endpoint.directive, "\"" + url + "\" must be https, as the issuer is");
    }
  }
  return {};
}

}  // namespace

std::span<const Directive> provider_directives() {
  return kDirectives;
}

Result<void> finish_provider(SettingsDraft& draft) {
  ProviderSettings& provider = draft.settings.provider;
  if (draft.issuer.empty()) {
    return draft.conflict("oidc_issuer", "it must be set where \"oidc\" is on");
  }
  provider.discover = !draft.words->flag("oidc_using_pseudo_issuer");
  std::string_view text = draft.issuer;
  if (text.ends_with(kWellKnown)) text.remove_suffix(kWellKnown.size());
  // The scheme is compared by its text from here on.
  Result<Url> url = parse_http_url(text);
  if (!url || !text.starts_with(url->scheme + "://")) {
    return draft.conflict("oidc_issuer", "\"" + draft.issuer +
                                             "\" is no issuer: its scheme must "
                                             "be http or https in lower case, its host not empty");
  }
  provider.issuer = text;
  provider.discovery_url = discovery_url(text);
  Result<void> endpoints = check_endpoints(draft);
  if (!endpoints) return endpoints;
  if (url->scheme == "http" && !url->is_loopback()) {
    draft.warn("oidc_issuer", "\"" + draft.issuer +
                                  "\" is not https: whoever is on the way to it "
                                  "can log in as anybody");
  }
  if (!provider.ssl_verify) {
    draft.warn("oidc_ssl_verify",
               "off: whoever is on the way to the provider can log in as "
               "anybody");
  }
  return {};
}

}  // namespace oidc
