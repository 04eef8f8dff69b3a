#include "oidc/discovery.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <string>

#include "result_code.h"

namespace oidc {
namespace {

using test::code_of;

Json document() {
  return {{"issuer", "https://op.example.com"},
          {"authorization_endpoint", "https://op.example.com/authorize"},
          {"token_endpoint", "https://op.example.com/token"},
          {"jwks_uri", "https://op.example.com/jwks"},
          {"end_session_endpoint", "https://op.example.com/logout"},
          {"id_token_signing_alg_values_supported", {"RS256", "ES256", "XX999"}},
          {"code_challenge_methods_supported", {"plain", "S256"}},
          {"token_endpoint_auth_methods_supported", {"client_secret_post"}},
          {"authorization_response_iss_parameter_supported", true}};
}

ProviderSettings provider() {
  ProviderSettings settings;
  settings.issuer = "https://op.example.com";
  return settings;
}

Result<ProviderMetadata> parse(const Json& json) {
  return parse_discovery(json.dump(), provider());
}

TEST(DiscoveryUrl, AppendsTheWellKnownPathOnce) {
  const std::string_view path = "/.well-known/openid-configuration";
  EXPECT_EQ(discovery_url("https://op.example.com"), "https://op.example.com" + std::string(path));
  EXPECT_EQ(discovery_url("https://op.example.com/"), "https://op.example.com" + std::string(path));
  EXPECT_EQ(discovery_url("https://op.example.com/realms/a/"),
            "https://op.example.com/realms/a" + std::string(path));
}

TEST(Discovery, ReadsADocument) {
  const Result<ProviderMetadata> metadata = parse(document());
  ASSERT_TRUE(metadata);
  EXPECT_EQ(metadata->issuer, "https://op.example.com");
  EXPECT_EQ(metadata->authorization_endpoint, "https://op.example.com/authorize");
  EXPECT_EQ(metadata->token_endpoint, "https://op.example.com/token");
  EXPECT_EQ(metadata->jwks_uri, "https://op.example.com/jwks");
  EXPECT_EQ(metadata->end_session_endpoint, "https://op.example.com/logout");
  EXPECT_EQ(metadata->code_challenge_methods, (std::vector<std::string>{"plain", "S256"}));
  EXPECT_EQ(metadata->token_endpoint_auth_methods, std::vector<std::string>{"client_secret_post"});
  EXPECT_TRUE(metadata->iss_parameter);
  ASSERT_TRUE(metadata->id_token_algs);
  EXPECT_TRUE(metadata->id_token_algs->has(Alg::RS256));
  EXPECT_TRUE(metadata->id_token_algs->has(Alg::ES256));
  EXPECT_FALSE(metadata->id_token_algs->has(Alg::PS256));
}

TEST(Discovery, WhatIsAbsentStaysUnknown) {
  Json json = document();
  for (const char* name :
       {"end_session_endpoint", "id_token_signing_alg_values_supported",
        "code_challenge_methods_supported", "token_endpoint_auth_methods_supported",
        "authorization_response_iss_parameter_supported"}) {
    json.erase(name);
  }
  const Result<ProviderMetadata> metadata = parse(json);
  ASSERT_TRUE(metadata);
  EXPECT_EQ(metadata->end_session_endpoint, "");
  EXPECT_FALSE(metadata->id_token_algs);
  EXPECT_FALSE(metadata->code_challenge_methods);
  EXPECT_FALSE(metadata->token_endpoint_auth_methods);
  EXPECT_FALSE(metadata->iss_parameter);
}

TEST(Discovery, EdDsaAndEd25519MeanEachOther) {
  for (const char* name : {"EdDSA", "Ed25519"}) {
    Json json = document();
    json["id_token_signing_alg_values_supported"] = {name};
    const Result<ProviderMetadata> metadata = parse(json);
    ASSERT_TRUE(metadata && metadata->id_token_algs) << name;
    EXPECT_TRUE(metadata->id_token_algs->has(Alg::EdDSA)) << name;
    EXPECT_TRUE(metadata->id_token_algs->has(Alg::Ed25519)) << name;
  }
}

TEST(Discovery, TheIssuerIsTheConfiguredOneByteForByte) {
  for (const char* issuer : {"https://op.example.com/", "https://OP.example.com",
                             "http://op.example.com", "https://op.example.com.evil.example", ""}) {
    Json json = document();
    json["issuer"] = issuer;
    const Result<ProviderMetadata> metadata = parse(json);
    ASSERT_EQ(code_of(metadata), Errc::discovery_issuer_mismatch) << issuer;
    EXPECT_NE(metadata.error().detail.find("\"" + std::string(issuer) + "\""), std::string::npos);
    EXPECT_NE(metadata.error().detail.find("\"https://op.example.com\""), std::string::npos);
  }
  Json json = document();
  json.erase("issuer");
  EXPECT_EQ(code_of(parse(json)), Errc::discovery_issuer_mismatch);
  json["issuer"] = {"https://op.example.com"};
  EXPECT_EQ(code_of(parse(json)), Errc::discovery_issuer_mismatch);
}

TEST(Discovery, AForeignIssuerIsNotQuotedAtLength) {
  Json json = document();
  json["issuer"] = std::string(10000, 'x');
  const Result<ProviderMetadata> metadata = parse(json);
  ASSERT_EQ(code_of(metadata), Errc::discovery_issuer_mismatch);
  EXPECT_LT(metadata.error().detail.size(), 500U);
}

TEST(Discovery, AnHttpsIssuerHasOnlyHttpsEndpoints) {
  for (const char* name :
       {"authorization_endpoint", "token_endpoint", "jwks_uri", "end_session_endpoint"}) {
    Json json = document();
    json[name] = "http://op.example.com/x";
    const Result<ProviderMetadata> metadata = parse(json);
    ASSERT_EQ(code_of(metadata), Errc::discovery_invalid) << name;
    EXPECT_NE(metadata.error().detail.find(name), std::string::npos);
  }
}

TEST(Discovery, AnHttpIssuerMayHaveEither) {
  Json json = document();
  json["issuer"] = "http://127.0.0.1:8080";
  json["token_endpoint"] = "http://127.0.0.1:8080/token";
  ProviderSettings settings = provider();
  settings.issuer = "http://127.0.0.1:8080";
  const Result<ProviderMetadata> metadata = parse_discovery(json.dump(), settings);
  ASSERT_TRUE(metadata);
  EXPECT_EQ(metadata->token_endpoint, "http://127.0.0.1:8080/token");
  EXPECT_EQ(metadata->jwks_uri, "https://op.example.com/jwks");
}

TEST(Discovery, RequiredEndpointsMustBeThere) {
  for (const char* name : {"authorization_endpoint", "token_endpoint", "jwks_uri"}) {
    Json json = document();
    json.erase(name);
    EXPECT_EQ(code_of(parse(json)), Errc::discovery_invalid) << name;
  }
}

TEST(Discovery, EndpointsAreAbsoluteUrls) {
  for (const char* url : {"", "/authorize", "//op.example.com/authorize", "javascript:alert(1)",
                          "https://", "https://user@op.example.com/", "https://op.example.com/#x",
                          "https://op.example.com/a b", "https://op.example.com/\r\nX: y"}) {
    Json json = document();
    json["authorization_endpoint"] = url;
    EXPECT_EQ(code_of(parse(json)), Errc::discovery_invalid) << url;
  }
  Json json = document();
  json["token_endpoint"] = 5;
  EXPECT_EQ(code_of(parse(json)), Errc::discovery_invalid);
}

TEST(Discovery, ConfiguredEndpointsComeFirst) {
  ProviderSettings settings = provider();
  settings.authorization_endpoint = "https://a.example/authorize";
  settings.token_endpoint = "http://10.0.0.1/token";
  settings.jwks_endpoint = "https://a.example/jwks";
  settings.end_session_endpoint = "https://a.example/logout";
  Json json = document();
  json["token_endpoint"] = "nonsense";  // not even looked at
  const Result<ProviderMetadata> metadata = parse_discovery(json.dump(), settings);
  ASSERT_TRUE(metadata);
  EXPECT_EQ(metadata->authorization_endpoint, "https://a.example/authorize");
  EXPECT_EQ(metadata->token_endpoint, "http://10.0.0.1/token");
  EXPECT_EQ(metadata->jwks_uri, "https://a.example/jwks");
  EXPECT_EQ(metadata->end_session_endpoint, "https://a.example/logout");
}

TEST(Discovery, RefusesWhatIsNoJsonObject) {
  for (const char* text : {"", "null", "[]", "\"x\"", "<html></html>", "{", "{\"issuer\":}",
                           "{\"issuer\":\"https://op.example.com\",\"issuer\":\"x\"}"}) {
    EXPECT_EQ(code_of(parse_discovery(text, provider())), Errc::discovery_invalid) << text;
  }
}

TEST(Discovery, MembersOfAnotherTypeCountAsAbsent) {
  Json json = document();
  json["code_challenge_methods_supported"] = 5;
  json["authorization_response_iss_parameter_supported"] = "true";
  json["id_token_signing_alg_values_supported"] = Json::object();
  json["end_session_endpoint"] = nullptr;
  const Result<ProviderMetadata> metadata = parse(json);
  ASSERT_TRUE(metadata);
  EXPECT_FALSE(metadata->code_challenge_methods);
  EXPECT_FALSE(metadata->iss_parameter);
  EXPECT_FALSE(metadata->id_token_algs);
  EXPECT_EQ(metadata->end_session_endpoint, "");
}

TEST(PseudoMetadata, IsWhatTheConfigurationSays) {
  ProviderSettings settings = provider();
  settings.discover = false;
  settings.authorization_endpoint = "https://a.example/authorize";
  settings.token_endpoint = "https://a.example/token";
  settings.jwks_endpoint = "https://a.example/jwks";
  const ProviderMetadata metadata = pseudo_metadata(settings);
  EXPECT_EQ(metadata.issuer, "https://op.example.com");
  EXPECT_EQ(metadata.authorization_endpoint, "https://a.example/authorize");
  EXPECT_EQ(metadata.token_endpoint, "https://a.example/token");
  EXPECT_EQ(metadata.jwks_uri, "https://a.example/jwks");
  EXPECT_EQ(metadata.end_session_endpoint, "");
  EXPECT_FALSE(metadata.code_challenge_methods);
  EXPECT_FALSE(metadata.iss_parameter);
}

}  // namespace
}  // namespace oidc
