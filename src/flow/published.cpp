#include "oidc/published.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "oidc/client_key.h"
#include "oidc/presented_token.h"
#include "oidc/rules.h"
#include "oidc/url.h"

namespace oidc {
namespace {

std::string text_of(const Json& document) { return document.dump() + "\n"; }

Json words_of(std::string_view text) {
  Json words = Json::array();
  while (!text.empty()) {
    const std::size_t end = std::min(text.find(' '), text.size());
    if (end > 0) words.push_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return words;
}

// RFC 6750 knows these three; a cookie is none of them.
Json bearer_methods(const CredentialSettings::Places& places) {
  Json methods = Json::array();
  if (places.header) methods.push_back("header");
  if (places.body) methods.push_back("body");
  if (places.query) methods.push_back("query");
  return methods;
}

}  // namespace

Result<std::string> client_jwks(const ClientSettings& client, const HeaderSettings& headers) {
  Json keys = Json::array();
  if (client.key != nullptr) keys.push_back(client.key->public_jwk());
  for (const auto& key : client.further_keys) keys.push_back(key->public_jwk());
  for (const auto& key : client.decryption_keys) keys.push_back(key->public_jwk());
  for (const GatewayJwt& jwt : headers.jwts) {
    const Json& key = jwt.key->public_jwk();
    const auto same = std::find_if(keys.begin(), keys.end(), [&key](const Json& other) {
      return other.at("kid") == key.at("kid");
    });
    if (same == keys.end()) {
      keys.push_back(key);
    } else if (*same != key) {
      return Error{Errc::invalid_configuration, "two keys have one kid: " + jwt.key->kid()};
    }
  }
  if (keys.empty()) {
    return Error{Errc::invalid_configuration,
                 "oidc_client_jwk or oidc_upstream_jwt must be set: there is no key"};
  }
  return text_of({{"keys", keys}});
}

Result<std::string> resource_metadata(const Settings& settings, std::string_view resource) {
  if (!accepts_access_tokens(settings)) {
    return Error{Errc::invalid_configuration,
                 "oidc_auth_methods must name bearer, introspection or userinfo here, as where the "
                 "tokens are accepted"};
  }
  Json document = {{"resource", resource},
                   {"bearer_methods_supported", bearer_methods(settings.credentials.bearer_places)}};
  const std::vector<std::string>& issuers = settings.access_token.issuers;
  document["authorization_servers"] =
      issuers.empty() ? Json::array({settings.provider.issuer}) : Json(issuers);
  const std::string scope = settings.rules ? settings.rules->wanted_scope() : std::string();
  if (!scope.empty()) document["scopes_supported"] = words_of(scope);
  return text_of(document);
}

std::string resource_metadata_path(std::string_view resource) {
  std::string path = "/.well-known/oauth-protected-resource";
  const Result<Url> url = parse_url(resource);
  if (url && url->path != "/") path.append(url->path);
  return path;
}

}  // namespace oidc
