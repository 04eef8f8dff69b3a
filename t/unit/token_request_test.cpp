#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <vector>

#include "oidc/base64url.h"
#include "oidc/token_endpoint.h"
#include "sample_settings.h"

namespace oidc {
namespace {

using Methods = std::optional<std::vector<std::string>>;

ClientSettings client(std::string_view id = "gateway", std::string_view secret = "secret") {
  ClientSettings settings;
  settings.id = id;
  settings.secret = Secret(secret);
  return settings;
}

HttpRequest code_request(const ClientSettings& settings, ClientAuth auth) {
  return client_request("https://op.example.com/token",
                        code_grant("the code", "https://app.example.org/cb", "verifier"), settings,
                        auth);
}

Form body_of(const HttpRequest& request) {
  Result<Form> form = Form::parse(request.body.view());
  EXPECT_TRUE(form);
  return *form;
}

TEST(ClientAuthChoice, ConfigurationDecides) {
  ProviderMetadata metadata = test::sample_metadata();
  metadata.token_endpoint_auth_methods = std::vector<std::string>{"client_secret_basic"};
  for (const ClientAuth auth :
       {ClientAuth::client_secret_basic, ClientAuth::client_secret_post, ClientAuth::none}) {
    ClientSettings settings = client();
    settings.auth = auth;
    EXPECT_EQ(choose_client_auth(settings, metadata), auth);
  }
}

TEST(ClientAuthChoice, ElseDiscoveryBasicFirst) {
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
  for (const auto& one : cases) {
    ProviderMetadata metadata = test::sample_metadata();
    metadata.token_endpoint_auth_methods = one.offered;
    EXPECT_EQ(choose_client_auth(client(), metadata), one.expected);
  }
}

TEST(ClientAuthChoice, WithoutASecretTheClientIsPublic) {
  ProviderMetadata metadata = test::sample_metadata();
  metadata.token_endpoint_auth_methods = std::vector<std::string>{"client_secret_basic"};
  EXPECT_EQ(choose_client_auth(client("gateway", ""), metadata), ClientAuth::none);
}

TEST(TokenRequest, OfACode) {
  const HttpRequest request = code_request(client(), ClientAuth::client_secret_basic);
  EXPECT_TRUE(request.post);
  EXPECT_EQ(request.url, "https://op.example.com/token");
  EXPECT_EQ(request.content_type, "application/x-www-form-urlencoded");
  EXPECT_EQ(request.accept, "application/json");
  const Form body = body_of(request);
  EXPECT_EQ(body.get("grant_type"), "authorization_code");
  EXPECT_EQ(body.get("code"), "the code");
  EXPECT_EQ(body.get("redirect_uri"), "https://app.example.org/cb");
  EXPECT_EQ(body.get("code_verifier"), "verifier");
  EXPECT_EQ(body.fields().size(), 4U);
}

TEST(TokenRequest, WithoutPkceThereIsNoVerifier) {
  EXPECT_EQ(code_grant("c", "https://app.example.org/cb", "").count("code_verifier"), 0U);
}

TEST(TokenRequest, OfARefreshToken) {
  const Form form = refresh_grant("r+/=");
  EXPECT_EQ(form.get("grant_type"), "refresh_token");
  EXPECT_EQ(form.get("refresh_token"), "r+/=");
  EXPECT_EQ(form.fields().size(), 2U);
  EXPECT_EQ(form.encode(), "grant_type=refresh_token&refresh_token=r%2B%2F%3D");
}

TEST(TokenRequest, BasicKeepsTheSecretOutOfTheBody) {
  const HttpRequest request = code_request(client(), ClientAuth::client_secret_basic);
  EXPECT_EQ(request.authorization.view(), "Basic " + base64_encode("gateway:secret"));
  EXPECT_EQ(request.body.view().find("secret"), std::string_view::npos);
  EXPECT_EQ(body_of(request).count("client_id"), 0U);
}

// RFC 6749 section 2.3.1: form-encoded first, so that a ':' in the id does not end it.
TEST(TokenRequest, BasicFormEncodesIdAndSecret) {
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
    const HttpRequest request =
        code_request(client(one.id, one.secret), ClientAuth::client_secret_basic);
    EXPECT_EQ(request.authorization.view(), "Basic " + base64_encode(one.pair)) << one.id;
  }
}

TEST(TokenRequest, PostPutsIdAndSecretIntoTheBody) {
  const HttpRequest request = code_request(client("a:b", "s&c=1"), ClientAuth::client_secret_post);
  EXPECT_TRUE(request.authorization.empty());
  const Form body = body_of(request);
  EXPECT_EQ(body.get("client_id"), "a:b");
  EXPECT_EQ(body.get("client_secret"), "s&c=1");
  EXPECT_EQ(body.count("client_secret"), 1U);
}

TEST(TokenRequest, NoneSendsTheIdAlone) {
  const HttpRequest request = code_request(client(), ClientAuth::none);
  EXPECT_TRUE(request.authorization.empty());
  const Form body = body_of(request);
  EXPECT_EQ(body.get("client_id"), "gateway");
  EXPECT_EQ(body.count("client_secret"), 0U);
}

}  // namespace
}  // namespace oidc
