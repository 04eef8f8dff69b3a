// The documents that we publish: the client's keys, and what a protected resource says of itself.
#include "oidc/published.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "conf_lines.h"
#include "oidc/client_key.h"
#include "oidc/jose.h"
#include "private_keys.h"

namespace oidc {
namespace {

using ::testing::HasSubstr;

std::shared_ptr<const ClientKey> key_of(std::string_view text) {
  return ClientKey::parse(text).value();
}

class Files {
 public:
  Files() : dir_(std::filesystem::temp_directory_path() / ("published-" + std::to_string(getpid()))) {
    std::filesystem::create_directories(dir_);
  }
  Files(const Files&) = delete;
  Files& operator=(const Files&) = delete;
  ~Files() { std::filesystem::remove_all(dir_); }
  std::string write(std::string_view name, std::string_view text) const {
    const std::filesystem::path path = dir_ / name;
    std::ofstream(path) << text;
    return path.string();
  }

 private:
  std::filesystem::path dir_;
};

TEST(ClientJwks, HasThePublicPartOfEachKeyAndNothingElse) {
  ClientSettings client;
  for (const std::string_view text :
       {test::kPrivateRsa, test::kPrivateP256, test::kPrivateP384, test::kPrivateP521,
        test::kPrivateEd25519, test::kPrivateEd448, test::kPrivatePem}) {
    client.key == nullptr ? void(client.key = key_of(text))
                          : client.further_keys.push_back(key_of(text));
  }
  const std::string document = client_jwks(client).value();
  const Json json = Json::parse(document);
  ASSERT_EQ(json.size(), 1U);
  ASSERT_EQ(json["keys"].size(), 7U);
  for (const Json& key : json["keys"]) {
    for (const char* secret : {"d", "p", "q", "dp", "dq", "qi", "oth", "k"}) {
      EXPECT_FALSE(key.contains(secret)) << key["kid"] << secret;
    }
    EXPECT_EQ(key["use"], "sig");
    EXPECT_TRUE(key.contains("kid"));
  }
  EXPECT_EQ(json["keys"][0]["kid"], client.key->kid()) << "the one that signs is the first";
  EXPECT_EQ(KeySet::parse(document).value().keys().size(), 7U) << "others can use all of them";
}

TEST(ClientJwks, WithoutAKeyThereIsNoDocument) {
  const Result<std::string> none = client_jwks(ClientSettings{});
  ASSERT_FALSE(none);
  EXPECT_THAT(none.error().detail, HasSubstr("must be set: there is no key"));
}

TEST(ClientJwks, SeveralKeysInTheConfiguration) {
  const Files files;
  const std::string rsa = files.write("rsa", test::kPrivateRsa);
  const std::string ec = files.write("ec", test::kPrivateP256);
  const std::string lines = "oidc_client_secret off\noidc_client_jwk ";
  Built built = build(lines + rsa + " " + ec);
  ASSERT_NE(built.settings, nullptr) << built.error;
  EXPECT_EQ(built.settings->client.key->kid(), "r1");
  ASSERT_EQ(built.settings->client.further_keys.size(), 1U);
  built = build(lines + ec + "\noidc_client_alg ES256");
  ASSERT_NE(built.settings, nullptr) << built.error;
  EXPECT_TRUE(built.settings->client.further_keys.empty());
  built = build(lines + rsa + " " + ec + "\noidc_client_alg ES256");
  EXPECT_THAT(built.error, HasSubstr("does not fit")) << "the first one signs";
  built = build(lines + rsa + " " + files.write("again", test::kPrivateRsa));
  EXPECT_THAT(built.error, HasSubstr("its kid is that of another one"));
  built = build(lines + rsa + " " + files.write("broken", "{}"));
  EXPECT_THAT(built.error, HasSubstr("oidc_client_jwk"));
}

Settings bearer(const std::string& more = "") {
  Built built = build("oidc_auth_methods bearer\noidc_audience_required api\n" + more);
  EXPECT_NE(built.settings, nullptr) << built.error;
  return std::move(*built.settings);
}

TEST(ResourceMetadata, SaysHowToGetInAndNothingElse) {
  const std::string resource = "https://api.example.com/v1";
  EXPECT_EQ(Json::parse(resource_metadata(bearer(), resource).value()),
            (Json{{"resource", resource},
                  {"authorization_servers", {"https://id.example.com/realms/demo"}},
                  {"bearer_methods_supported", {"header"}}}));
  const std::string more =
      "oidc_scopes_required \"read write\" admin\noidc_issuers_allowed https://a.test https://b.test\n"
      "oidc_bearer_token_param_type header query body cookie\noidc_bearer_token_cookie_name t\n"
      "oidc_hide_credentials off\n";
  EXPECT_EQ(Json::parse(resource_metadata(bearer(more), resource).value()),
            (Json{{"resource", resource},
                  {"authorization_servers", {"https://a.test", "https://b.test"}},
                  {"scopes_supported", {"read", "write"}},
                  {"bearer_methods_supported", {"header", "body", "query"}}}));
}

TEST(ResourceMetadata, WhereNoTokenIsAcceptedThereIsNone) {
  const Result<std::string> none = resource_metadata(*build("").settings, "https://a.test");
  ASSERT_FALSE(none);
  EXPECT_THAT(none.error().detail, HasSubstr("introspection or userinfo"));
}

TEST(ResourceMetadata, ItsPath) {
  const std::string path = "/.well-known/oauth-protected-resource";
  EXPECT_EQ(resource_metadata_path("https://api.example.com"), path);
  EXPECT_EQ(resource_metadata_path("https://api.example.com/"), path);
  EXPECT_EQ(resource_metadata_path("https://api.example.com/v1"), path + "/v1");
  EXPECT_EQ(resource_metadata_path("https://api.example.com/v1/"), path + "/v1/");
}

}  // namespace
}  // namespace oidc
