#include "oidc/client_auth.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <set>

#include "oidc/base64url.h"
#include "oidc/client_key.h"
#include "oidc/token_endpoint.h"
#include "private_keys.h"
#include "sample_settings.h"

namespace oidc {
namespace {

constexpr Seconds kNow = 1700000000;

Settings settings_of(std::optional<ClientAuth> auth, std::string_view secret = test::kClientSecret) {
  Settings settings = test::sample_settings();
  settings.client.secret = Secret(secret);
  settings.client.auth = auth;
  return settings;
}

HttpRequest request_of(const Settings& settings,
                       ClientEndpoint endpoint = ClientEndpoint::token,
                       const ProviderMetadata& metadata = test::sample_metadata()) {
  return client_request(endpoint, metadata, settings,
                        code_grant("the code", "https://app.example.org/cb", "verifier"), kNow);
}

Form body_of(const HttpRequest& request) {
  Result<Form> form = Form::parse(request.body.view());
  EXPECT_TRUE(form);
  return *form;
}

ClientAuth choice(const Settings& settings, std::optional<std::vector<std::string>> offered,
                  ClientEndpoint endpoint = ClientEndpoint::token) {
  ProviderMetadata metadata = test::sample_metadata();
  metadata.token_endpoint_auth_methods = std::move(offered);
  return choose_client_auth(settings.client, settings.provider, metadata, endpoint);
}

std::shared_ptr<const ClientKey> key(std::string_view text = test::kPrivateP256) {
  return *ClientKey::parse(text);
}

// ---- which method ------------------------------------------------------------------------------

TEST(ClientAuthChoice, ConfigurationDecides) {
  for (const ClientAuth auth : {ClientAuth::client_secret_basic, ClientAuth::client_secret_post,
                                ClientAuth::client_secret_jwt, ClientAuth::none}) {
    EXPECT_EQ(choice(settings_of(auth), std::vector<std::string>{"client_secret_basic"}), auth);
  }
}

TEST(ClientAuthChoice, AnEndpointsOwnComesFirst) {
  Settings settings = settings_of(ClientAuth::client_secret_post);
  settings.client.revocation_auth = ClientAuth::client_secret_basic;
  settings.client.introspection_auth = ClientAuth::none;
  EXPECT_EQ(choice(settings, {}, ClientEndpoint::token), ClientAuth::client_secret_post);
  EXPECT_EQ(choice(settings, {}, ClientEndpoint::revocation), ClientAuth::client_secret_basic);
  EXPECT_EQ(choice(settings, {}, ClientEndpoint::introspection), ClientAuth::none);
  settings.client.token_auth = ClientAuth::client_secret_jwt;
  EXPECT_EQ(choice(settings, {}, ClientEndpoint::token), ClientAuth::client_secret_jwt);
}

TEST(ClientAuthChoice, ElseDiscoveryBasicFirst) {
  using Methods = std::optional<std::vector<std::string>>;
  const struct {
    Methods offered;
    ClientAuth expected;
  } cases[] = {
      {std::nullopt, ClientAuth::client_secret_basic},
      {std::vector<std::string>{}, ClientAuth::client_secret_basic},
      {std::vector<std::string>{"client_secret_basic"}, ClientAuth::client_secret_basic},
      {std::vector<std::string>{"client_secret_post"}, ClientAuth::client_secret_post},
      {std::vector<std::string>{"client_secret_post", "client_secret_basic"},
       ClientAuth::client_secret_basic},
      {std::vector<std::string>{"private_key_jwt", "client_secret_post"},
       ClientAuth::client_secret_post},
      {std::vector<std::string>{"private_key_jwt"}, ClientAuth::client_secret_basic},
  };
  for (const auto& one : cases) EXPECT_EQ(choice(settings_of({}), one.offered), one.expected);
}

TEST(ClientAuthChoice, WithoutASecretByWhatThereIs) {
  Settings settings = settings_of({}, "");
  EXPECT_EQ(choice(settings, {}), ClientAuth::none);
  settings.provider.client_certificate = "/c.pem";
  EXPECT_EQ(choice(settings, {}), ClientAuth::tls_client_auth);
  EXPECT_EQ(choice(settings, std::vector<std::string>{"self_signed_tls_client_auth"}),
            ClientAuth::self_signed_tls_client_auth);
  settings.client.key = key();
  EXPECT_EQ(choice(settings, {}), ClientAuth::private_key_jwt);
}

// ---- secrets -------------------------------------------------------------------------------------

TEST(ClientRequest, IsAFormPostedToTheEndpoint) {
  const HttpRequest request = request_of(settings_of(ClientAuth::client_secret_basic));
  EXPECT_TRUE(request.post);
  EXPECT_EQ(request.url, "https://op.example.com/token");
  EXPECT_EQ(request.content_type, "application/x-www-form-urlencoded");
  EXPECT_EQ(request.accept, "application/json");
  EXPECT_EQ(body_of(request).fields().size(), 4U);
}

TEST(ClientRequest, BasicKeepsTheSecretOutOfTheBody) {
  Settings settings = settings_of(ClientAuth::client_secret_basic, "secret");
  const HttpRequest request = request_of(settings);
  EXPECT_EQ(request.authorization.view(), "Basic " + base64_encode("gateway:secret"));
  EXPECT_EQ(request.body.view().find("secret"), std::string_view::npos);
  EXPECT_EQ(body_of(request).count("client_id"), 0U);
}

// RFC 6749 section 2.3.1: form-encoded first, so that a ':' in the id does not end it.
TEST(ClientRequest, BasicFormEncodesIdAndSecret) {
  const struct {
    std::string_view id, secret, pair;
  } cases[] = {
      {"a:b", "c:d", "a%3Ab:c%3Ad"},
      {"a b", "+ &=", "a+b:%2B+%26%3D"},
      {"gr\xc3\xbc\xc3\x9f", "100%", "gr%C3%BC%C3%9F:100%25"},
      {"-._~", "*!'()", "-._~:%2A%21%27%28%29"},
      {"x", "", "x:"},
  };
  for (const auto& one : cases) {
    Settings settings = settings_of(ClientAuth::client_secret_basic, one.secret);
    settings.client.id = one.id;
    EXPECT_EQ(request_of(settings).authorization.view(), "Basic " + base64_encode(one.pair));
  }
}

TEST(ClientRequest, PostPutsIdAndSecretIntoTheBody) {
  Settings settings = settings_of(ClientAuth::client_secret_post, "s&c=1");
  settings.client.id = "a:b";
  const HttpRequest request = request_of(settings);
  EXPECT_TRUE(request.authorization.empty());
  const Form body = body_of(request);
  EXPECT_EQ(body.get("client_id"), "a:b");
  EXPECT_EQ(body.get("client_secret"), "s&c=1");
  EXPECT_EQ(body.count("client_secret"), 1U);
}

TEST(ClientRequest, NoneAndMutualTlsSendTheIdAlone) {
  for (const ClientAuth auth : {ClientAuth::none, ClientAuth::tls_client_auth,
                                ClientAuth::self_signed_tls_client_auth}) {
    const HttpRequest request = request_of(settings_of(auth));
    EXPECT_TRUE(request.authorization.empty());
    const Form body = body_of(request);
    EXPECT_EQ(body.get("client_id"), "gateway");
    EXPECT_EQ(body.count("client_secret"), 0U);
    EXPECT_EQ(body.count("client_assertion"), 0U);
  }
}

// RFC 8705 section 5.
TEST(ClientRequest, MutualTlsGoesToTheAlias) {
  ProviderMetadata metadata = test::sample_metadata();
  metadata.revocation_endpoint = "https://op.example.com/revoke";
  metadata.introspection_endpoint = "https://op.example.com/introspect";
  metadata.mtls_token_endpoint = "https://mtls.example.com/token";
  metadata.mtls_introspection_endpoint = "https://mtls.example.com/introspect";
  const Settings mutual = settings_of(ClientAuth::tls_client_auth);
  const Settings plain = settings_of(ClientAuth::client_secret_post);
  const auto url = [&](const Settings& settings, ClientEndpoint endpoint) {
    return request_of(settings, endpoint, metadata).url;
  };
  EXPECT_EQ(url(mutual, ClientEndpoint::token), "https://mtls.example.com/token");
  EXPECT_EQ(url(mutual, ClientEndpoint::introspection), "https://mtls.example.com/introspect");
  EXPECT_EQ(url(mutual, ClientEndpoint::revocation), "https://op.example.com/revoke");
  EXPECT_EQ(url(plain, ClientEndpoint::token), "https://op.example.com/token");
}

// ---- assertions ----------------------------------------------------------------------------------

Jwt assertion_of(const HttpRequest& request) {
  const Form body = body_of(request);
  EXPECT_EQ(body.get("client_assertion_type"),
            "urn:ietf:params:oauth:client-assertion-type:jwt-bearer");
  EXPECT_EQ(body.get("client_id"), "gateway");
  EXPECT_EQ(body.count("client_secret"), 0U);
  EXPECT_TRUE(request.authorization.empty());
  Result<Jwt> jwt = parse_jwt(body.get("client_assertion").value_or(""));
  EXPECT_TRUE(jwt);
  return *jwt;
}

TEST(ClientAssertion, ByASecret) {
  const Settings settings = settings_of(ClientAuth::client_secret_jwt);
  const Jwt jwt = assertion_of(request_of(settings));
  EXPECT_EQ(jwt.alg, Alg::HS256);
  EXPECT_TRUE(verify_hmac(jwt, settings.client.secret));
  EXPECT_FALSE(jwt.header.contains("kid"));
}

TEST(ClientAssertion, ByAKeyWithItsName) {
  Settings settings = settings_of(ClientAuth::private_key_jwt, "");
  settings.client.key = key(test::kPrivateRsa);
  settings.client.alg = Alg::PS256;
  const Jwt jwt = assertion_of(request_of(settings));
  EXPECT_EQ(jwt.alg, Alg::PS256);
  EXPECT_EQ(jwt.kid, "r1");
  const auto keys = KeySet::parse(Json{{"keys", {settings.client.key->public_jwk()}}}.dump());
  EXPECT_TRUE(verify_with_key_set(jwt, *keys));
}

// OpenID Connect Core section 9; the audience is a single string.
TEST(ClientAssertion, Claims) {
  const Json claims = assertion_of(request_of(settings_of(ClientAuth::client_secret_jwt))).claims;
  EXPECT_EQ(claims["iss"], "gateway");
  EXPECT_EQ(claims["sub"], "gateway");
  EXPECT_EQ(claims["aud"], "https://op.example.com");
  EXPECT_EQ(claims["iat"], kNow);
  EXPECT_EQ(claims["exp"], kNow + 60);
  EXPECT_GE(claims["jti"].get<std::string>().size(), 20U);
}

TEST(ClientAssertion, AudienceAsConfigured) {
  Settings settings = settings_of(ClientAuth::client_secret_jwt);
  settings.client.assertion_audience = "token_endpoint";
  for (const ClientEndpoint endpoint : {ClientEndpoint::token, ClientEndpoint::revocation}) {
    EXPECT_EQ(assertion_of(request_of(settings, endpoint)).claims["aud"],
              "https://op.example.com/token");
  }
  settings.client.assertion_audience = "https://other.example.com";
  EXPECT_EQ(assertion_of(request_of(settings)).claims["aud"], "https://other.example.com");
}

TEST(ClientAssertion, IsNewForEachRequest) {
  const Settings settings = settings_of(ClientAuth::client_secret_jwt);
  std::set<std::string> seen;
  for (int i = 0; i < 50; ++i) {
    seen.insert(assertion_of(request_of(settings)).claims["jti"].get<std::string>());
  }
  EXPECT_EQ(seen.size(), 50U);
}

}  // namespace
}  // namespace oidc
