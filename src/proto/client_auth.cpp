#include "oidc/client_auth.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "oidc/base64url.h"
#include "oidc/client_key.h"
#include "oidc/crypto.h"

namespace oidc {
namespace {

// RFC 7523 section 3: short, since each request gets its own.
constexpr Seconds kAssertionLife = 60;
constexpr std::string_view kJwtBearer = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

Secret basic_authorization(const ClientSettings& client) {
  std::string pair = form_encode(client.id);
  pair.push_back(':');
  std::string secret = form_encode(client.secret.view());
  pair.append(secret);
  std::string value = "Basic ";
  value.append(base64_encode(pair));
  Secret result(value);
  cleanse(secret);
  cleanse(pair);
  cleanse(value);
  return result;
}

// OpenID Connect Core section 9. The audience is one string, the issuer: an assertion for it is of
// no use at another provider that names this one's token endpoint as its own.
std::string assertion(const ClientSettings& client, ClientAuth auth,
                      const ProviderMetadata& metadata, Seconds now) {
  const bool signs = auth == ClientAuth::private_key_jwt;
  const Alg alg = client.alg ? *client.alg : signs ? client.key->usual_alg() : Alg::HS256;
  Json header = {{"alg", to_string(alg)}, {"typ", "JWT"}};
  if (signs) header["kid"] = client.key->kid();
  const std::string& wanted = client.assertion_audience;
  const Json claims = {{"iss", client.id},
                       {"sub", client.id},
                       {"aud", wanted.empty()                ? metadata.issuer
                               : wanted == "token_endpoint" ? metadata.token_endpoint
                                                            : wanted},
                       {"jti", base64url_encode(random_string(16))},
                       {"iat", now},
                       {"exp", now + kAssertionLife}};
  std::string jwt = base64url_encode(header.dump());
  jwt.push_back('.');
  jwt.append(base64url_encode(claims.dump()));
  const std::string signature =
      signs ? client.key->sign(alg, jwt) : hmac_signature(alg, client.secret.view(), jwt);
  jwt.push_back('.');
  jwt.append(base64url_encode(signature));
  return jwt;
}

const std::string& url_of(ClientEndpoint endpoint, const ProviderMetadata& metadata,
                          bool mutual_tls) {
  const auto choose = [mutual_tls](const std::string& plain, const std::string& alias) -> auto& {
    return mutual_tls && !alias.empty() ? alias : plain;
  };
  switch (endpoint) {
    case ClientEndpoint::revocation:
      return choose(metadata.revocation_endpoint, metadata.mtls_revocation_endpoint);
    case ClientEndpoint::introspection:
      return choose(metadata.introspection_endpoint, metadata.mtls_introspection_endpoint);
    case ClientEndpoint::token:
      break;
  }
  return choose(metadata.token_endpoint, metadata.mtls_token_endpoint);
}

std::optional<ClientAuth> configured(const ClientSettings& client, ClientEndpoint endpoint) {
  const std::optional<ClientAuth>& own = endpoint == ClientEndpoint::token ? client.token_auth
                                         : endpoint == ClientEndpoint::revocation
                                             ? client.revocation_auth
                                             : client.introspection_auth;
  return own ? own : client.auth;
}

}  // namespace

bool is_public(const ClientSettings& client) noexcept {
  return configured(client, ClientEndpoint::token) == ClientAuth::none;
}

bool needs_secret(ClientAuth auth) noexcept {
  return auth == ClientAuth::client_secret_basic || auth == ClientAuth::client_secret_post ||
         auth == ClientAuth::client_secret_jwt;
}

bool is_mutual_tls(ClientAuth auth) noexcept {
  return auth == ClientAuth::tls_client_auth || auth == ClientAuth::self_signed_tls_client_auth;
}

ClientAuth choose_client_auth(const ClientSettings& client, const ProviderSettings& provider,
                              const ProviderMetadata& metadata, ClientEndpoint endpoint) {
  if (const auto chosen = configured(client, endpoint)) return *chosen;
  const auto& offered = metadata.token_endpoint_auth_methods;
  const auto offers = [&offered](std::string_view method) {
    return offered && std::find(offered->begin(), offered->end(), method) != offered->end();
  };
  if (client.secret.empty()) {
    if (client.key) return ClientAuth::private_key_jwt;
    if (provider.client_certificate.empty()) return ClientAuth::none;
    return offers("self_signed_tls_client_auth") && !offers("tls_client_auth")
               ? ClientAuth::self_signed_tls_client_auth
               : ClientAuth::tls_client_auth;
  }
  if (!offered || offers("client_secret_basic")) return ClientAuth::client_secret_basic;
  if (offers("client_secret_post")) return ClientAuth::client_secret_post;
  return ClientAuth::client_secret_basic;
}

HttpRequest client_request(ClientEndpoint endpoint, const ProviderMetadata& metadata,
                           const Settings& settings, Form form, Seconds now) {
  return client_request(endpoint, metadata, settings.client, settings.provider, std::move(form),
                        now);
}

HttpRequest client_request(ClientEndpoint endpoint, const ProviderMetadata& metadata,
                           const ClientSettings& client, const ProviderSettings& provider,
                           Form form, Seconds now) {
  const ClientAuth auth = choose_client_auth(client, provider, metadata, endpoint);
  HttpRequest request;
  request.post = true;
  request.url = url_of(endpoint, metadata, is_mutual_tls(auth));
  request.content_type = "application/x-www-form-urlencoded";
  if (auth == ClientAuth::client_secret_basic) {
    request.authorization = basic_authorization(client);
  } else {
    form.add("client_id", client.id);
  }
  if (auth == ClientAuth::client_secret_post) form.add("client_secret", client.secret.view());
  if (auth == ClientAuth::client_secret_jwt || auth == ClientAuth::private_key_jwt) {
    form.add("client_assertion_type", kJwtBearer);
    form.add("client_assertion", assertion(client, auth, metadata, now));
  }
  std::string body = form.encode();
  request.body = Secret(body);
  cleanse(body);
  form.wipe();
  return request;
}

}  // namespace oidc
