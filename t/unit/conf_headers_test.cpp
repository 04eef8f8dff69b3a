// oidc_upstream_*, oidc_downstream_*, oidc_headers_size, oidc_upstream_jwt, oidc_cache_ttl_*.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "conf_lines.h"
#include "oidc/client_key.h"
#include "private_keys.h"

namespace oidc {
namespace {

using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using Source = IdentityHeader::Source;

class KeyFile {
 public:
  explicit KeyFile(std::string_view text)
      : path_(std::filesystem::temp_directory_path() / ("conf-headers-" + std::to_string(getpid()))) {
    std::ofstream(path_) << text;
  }
  KeyFile(const KeyFile&) = delete;
  KeyFile& operator=(const KeyFile&) = delete;
  ~KeyFile() { std::filesystem::remove(path_); }
  [[nodiscard]] std::string name() const { return path_.string(); }

 private:
  std::filesystem::path path_;
};

const char* const kUserinfo = "oidc_userinfo login\n";
const char* const kTokens =
    "oidc_auth_methods session authorization_code bearer introspection\noidc_audience_required api\n";

struct Token {
  const char* item;
  Source source;
};
constexpr Token kItems[] = {
    {"access_token", Source::access_token},   {"access_token_jwk", Source::access_token_jwk},
    {"id_token", Source::id_token},           {"id_token_jwk", Source::id_token_jwk},
    {"refresh_token", Source::refresh_token}, {"session_id", Source::session_id},
    {"user_info", Source::user_info},         {"user_info_jwt", Source::user_info_jwt},
    {"introspection", Source::introspection}, {"introspection_jwt", Source::introspection_jwt}};

TEST(ConfHeaders, EachItemInBothDirections) {
  for (const Token& token : kItems) {
    for (const bool up : {true, false}) {
      const std::string directive =
          std::string(up ? "oidc_upstream_" : "oidc_downstream_") + token.item + "_header";
      const Built built = build(std::string(kUserinfo) + kTokens +
                                "oidc_upstream_access_token_header off\n" + directive + " X-Item");
      ASSERT_NE(built.settings, nullptr) << directive << built.error;
      const HeaderSettings& headers = built.settings->headers;
      const auto& list = up ? headers.upstream : headers.downstream;
      ASSERT_EQ(list.size(), 1U) << directive;
      EXPECT_EQ(list[0].name, "x-item");
      EXPECT_EQ(list[0].source, token.source);
      EXPECT_THAT(up ? headers.downstream : headers.upstream, IsEmpty());
      EXPECT_EQ(headers.prepared, token.source != Source::access_token);
    }
  }
}

TEST(ConfHeaders, SettingsHaveNumbersOfTheirOwn) {
  EXPECT_NE(build("").settings->headers.id, build("").settings->headers.id);
  EXPECT_NE(build("").settings->headers.id, 0U);
  EXPECT_FALSE(build("").settings->headers.prepared) << "nothing to prepare by default";
}

struct Refused {
  std::string text, error;
};

TEST(ConfHeaders, WhatIsRefused) {
  const Refused cases[] = {
      {"oidc_downstream_id_token_header Set-Cookie", "the server or the browser needs this header"},
      {"oidc_downstream_id_token_header location", "needs this header"},
      {"oidc_downstream_id_token_header Cache_Control", "needs this header"},
      {"oidc_downstream_header Access-Control-Allow-Origin sub", "needs this header"},
      {"oidc_downstream_header X-Accel-Redirect sub", "needs this header"},
      {"oidc_downstream_header Content-Type sub", "needs this header"},
      {"oidc_downstream_header \"X Y\" sub", "the name of a header"},
      {"oidc_downstream_header X-User", "the path of a claim"},
      {"oidc_downstream_header X-User a..b", "the path of a claim"},
      {"oidc_downstream_header X-User sub hex", "plain, base64url or percent"},
      {"oidc_downstream_header X-User sub\noidc_downstream_header x_user email", "two directives set"},
      {"oidc_downstream_session_id_header Session-Id\noidc_session_response_headers id",
       "another directive sets the header"},
      {"oidc_downstream_session_id_header x:bearer", "no bearer token"},
      {"oidc_downstream_id_token_jwk_header x:bearer", "a key is no bearer token"},
      {"oidc_upstream_introspection_header x:bearer", "no bearer token"},
      {"oidc_upstream_introspection_header x", "introspection in oidc_auth_methods"},
      {"oidc_downstream_introspection_jwt_header x", "introspection in oidc_auth_methods"},
      {"oidc_downstream_user_info_header x", "oidc_downstream_user_info_header: nobody asks"},
      {"oidc_upstream_user_info_jwt_header x", "oidc_upstream_user_info_jwt_header: nobody asks"},
      {"oidc_headers_size 100", "between"},
      {"oidc_headers_size 2m", "between"},
      {"oidc_headers_size off", "\"off\""},
      {"oidc_upstream_jwt X-Identity", "a file with a private key"},
      {"oidc_upstream_jwt X-Identity /nowhere/key", "cannot find"},
      {"oidc_upstream_jwt Host /nowhere/key", "the server itself needs this header"},
      {"oidc_cache_ttl_min 2h\noidc_cache_ttl_max 1h", "must not be longer than oidc_cache_ttl_max"},
      {"oidc_cache_ttl_min 0", "between"},
      {"oidc_cache_ttl_max long", "whole seconds"},
      {"oidc_cache_ttl_neg 11s", "between"},
      {"oidc_cache_ttl_resurrect 8d", "between"},
  };
  for (const Refused& each : cases) {
    const Built built = build(each.text);
    EXPECT_EQ(built.settings, nullptr) << each.text;
    EXPECT_THAT(built.error, HasSubstr(each.error)) << each.text;
  }
}

TEST(ConfHeaders, WhatIsWarnedOf) {
  EXPECT_THAT(build("oidc_downstream_refresh_token_header X-Refresh").warnings,
              Contains(HasSubstr("oidc_downstream_refresh_token_header")));
  EXPECT_THAT(build("oidc_upstream_access_token_jwk_header X-Key").warnings,
              Contains(HasSubstr("bearer in oidc_auth_methods")));
  EXPECT_THAT(build(std::string(kTokens) + "oidc_upstream_access_token_jwk_header X-Key").warnings,
              Not(Contains(HasSubstr("jwk_header"))));
}

TEST(ConfHeaders, OffClearsInherited) {
  const KeyFile key(test::kPrivateP256);
  ConfLines lines(kMinimalConf);
  lines.add("oidc_downstream_header X-User sub\noidc_downstream_id_token_header X-Id\n"
            "oidc_base_url https://app.example.com\noidc_upstream_jwt X-Identity " + key.name());
  lines.add("oidc_downstream_header off\noidc_downstream_id_token_header off\noidc_upstream_jwt off\n"
            "oidc_upstream_access_token_header off");
  std::vector<std::string> warnings;
  const auto built = build_settings(lines.words(), test_facts(), warnings);
  ASSERT_TRUE(built) << built.error().detail;
  EXPECT_THAT((*built)->headers.upstream, IsEmpty());
  EXPECT_THAT((*built)->headers.downstream, IsEmpty());
  EXPECT_TRUE((*built)->headers.jwts.empty());
}

TEST(ConfUpstreamJwt, SaysWhoAndForWhom) {
  const KeyFile key(test::kPrivateP256);
  const std::string start = "oidc_upstream_jwt X-Identity " + key.name();
  Built built = build("oidc_base_url https://app.example.com\n" + start);
  ASSERT_NE(built.settings, nullptr) << built.error;
  EXPECT_EQ(built.settings->headers.jwts[0].issuer, "https://app.example.com");
  EXPECT_EQ(built.settings->headers.jwts[0].audience, "https://app.example.com");
  EXPECT_EQ(built.settings->headers.jwts[0].lifetime, 60);
  built = build(start + " aud=backend iss=gateway ttl=5m email realm_access.roles");
  ASSERT_NE(built.settings, nullptr) << built.error;
  const GatewayJwt& jwt = built.settings->headers.jwts[0];
  EXPECT_EQ(jwt.audience, "backend");
  EXPECT_EQ(jwt.issuer, "gateway");
  EXPECT_EQ(jwt.lifetime, 300);
  ASSERT_EQ(jwt.claims.size(), 2U);
  EXPECT_EQ(jwt.claims[0].first, "email");
  EXPECT_EQ(jwt.claims[1].first, "roles");
  EXPECT_TRUE(built.settings->headers.prepared);
}

TEST(ConfUpstreamJwt, WhatIsRefused) {
  const KeyFile key(test::kPrivateP256);
  const std::string start = "oidc_upstream_jwt X-Identity " + key.name();
  const Refused cases[] = {
      {start, "iss= and aud= must be set"},
      {start + " iss=gateway", "iss= and aud= must be set"},
      {start + " iss=a aud=b sub", "has a claim of that name already"},
      {start + " iss=a aud=b email email", "has a claim of that name already"},
      {start + " iss=a aud=b a..b", "the path of a claim"},
      {start + " iss= aud=b", "after the ="},
      {start + " iss=a aud=b ttl=1s", "between"},
      {start + " iss=a aud=b ttl=2h", "between"},
      {start + " iss=a aud=b\noidc_upstream_header x_identity sub", "two directives set"},
  };
  for (const Refused& each : cases) {
    const Built built = build(each.text);
    EXPECT_EQ(built.settings, nullptr) << each.text;
    EXPECT_THAT(built.error, HasSubstr(each.error)) << each.text;
  }
  const KeyFile broken("no key");
  const Built built = build("oidc_upstream_jwt X-Identity " + broken.name() + " iss=a aud=b");
  EXPECT_EQ(built.settings, nullptr);
  EXPECT_THAT(built.error, HasSubstr("oidc_upstream_jwt"));
}

TEST(ConfCacheTtl, Bounds) {
  const auto ttl = [](const std::string& text) {
    const Built built = build(text);
    EXPECT_NE(built.settings, nullptr) << built.error;
    return built.settings->provider.cache_ttl;
  };
  EXPECT_EQ(ttl(""), 3600);
  EXPECT_EQ(ttl("oidc_cache_ttl_max 10m"), 600);
  EXPECT_EQ(ttl("oidc_cache_ttl_min 2h"), 7200);
  EXPECT_EQ(ttl("oidc_cache_ttl 5m\noidc_cache_ttl_min 10m\noidc_cache_ttl_max 1h"), 600);
  EXPECT_THAT(build("oidc_cache_ttl 5m\noidc_cache_ttl_min 10m").warnings,
              Contains(HasSubstr("make it 600 seconds")));
  const Built plain = build("");
  EXPECT_EQ(plain.settings->access_token.cache_max, 0);
  EXPECT_EQ(plain.settings->access_token.cache_negative, 10);
  EXPECT_EQ(plain.settings->provider.resurrect, 7 * 86400);
  const Built other = build("oidc_cache_ttl_neg off\noidc_cache_ttl_max 5s\noidc_cache_ttl_resurrect off");
  EXPECT_EQ(other.settings->access_token.cache_negative, 0);
  EXPECT_EQ(other.settings->access_token.cache_max, 5);
  EXPECT_EQ(other.settings->provider.resurrect, 0);
}

}  // namespace
}  // namespace oidc
