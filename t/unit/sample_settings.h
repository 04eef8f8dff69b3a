// Settings as the configuration builds them from a few directives, without reading any.
#pragma once

#include <string>
#include <string_view>

#include "oidc/crypto.h"
#include "oidc/discovery.h"
#include "oidc/settings.h"

namespace oidc::test {

inline constexpr std::string_view kIssuer = "https://op.example.com";
inline constexpr std::string_view kClientId = "gateway";
inline constexpr std::string_view kClientSecret =
    "a client secret of forty-eight characters, really";
inline constexpr std::string_view kOrigin = "https://app.example.org";
inline constexpr std::string_view kCallbackPath = "/callback";

[[nodiscard]] inline std::string sha256_text(std::string_view bytes) {
  const Sha256 hash = sha256(bytes);
  return std::string(as_view(hash));
}

[[nodiscard]] inline Settings sample_settings() {
  Settings settings;
  settings.server_names = {"app.example.org"};
  settings.provider.issuer = kIssuer;
  settings.provider.discovery_url = discovery_url(kIssuer);
  settings.client.id = kClientId;
  settings.client.secret = Secret(kClientSecret);
  settings.authorization.redirect_uri.text = kCallbackPath;
  settings.authorization.callback_path = kCallbackPath;
  settings.authorization.scopes = {"openid", "profile"};
  settings.authorization.cookie.name = "login_";
  settings.session.cookie.name = "session";
  for (const Alg alg : {Alg::RS256, Alg::ES256}) settings.token.id_token_algs.add(alg);
  settings.identity = sha256_text("identity of the sample");
  settings.fingerprint = sha256_text("directives of the sample");
  return settings;
}

[[nodiscard]] inline ProviderMetadata sample_metadata() {
  ProviderMetadata metadata;
  metadata.issuer = kIssuer;
  metadata.authorization_endpoint = "https://op.example.com/authorize";
  metadata.token_endpoint = "https://op.example.com/token";
  metadata.jwks_uri = "https://op.example.com/jwks";
  metadata.end_session_endpoint = "https://op.example.com/logout";
  return metadata;
}

}  // namespace oidc::test
