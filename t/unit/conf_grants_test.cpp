// oidc_auth_methods refresh_token, password, client_credentials, and what goes to the token endpoint.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "conf_lines.h"

namespace oidc {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::StartsWith;

constexpr const char* kPassword = "oidc_auth_methods password\noidc_audience_required api\n";

TEST(ConfGrants, Defaults) {
  const Built built = build("");
  ASSERT_NE(built.settings, nullptr) << built.error;
  const CredentialSettings& credentials = built.settings->credentials;
  EXPECT_FALSE(credentials.refresh_token || credentials.password || credentials.client_credentials);
  EXPECT_TRUE(credentials.password_places.header);
  EXPECT_FALSE(credentials.password_places.query || credentials.password_places.body);
  EXPECT_TRUE(built.settings->token.post_args.empty() && built.settings->token.headers.empty());
}

TEST(ConfGrants, MethodsAndPlaces) {
  const Built built = build(
      "oidc_auth_methods refresh_token password client_credentials session authorization_code\n"
      "oidc_audience_required api\noidc_hide_credentials off\n"
      "oidc_refresh_token_param_type query body\noidc_refresh_token_param_name My_Token\n"
      "oidc_client_credentials_param_type header query body\n");
  ASSERT_NE(built.settings, nullptr) << built.error;
  const CredentialSettings& credentials = built.settings->credentials;
  EXPECT_TRUE(credentials.refresh_token && credentials.password && credentials.client_credentials);
  EXPECT_FALSE(credentials.refresh_token_places.header);
  EXPECT_TRUE(credentials.refresh_token_places.query && credentials.refresh_token_places.body);
  EXPECT_EQ(credentials.refresh_token_name, "My_Token");
  EXPECT_TRUE(credentials.client_credentials_places.body);
  EXPECT_EQ(std::count_if(built.warnings.begin(), built.warnings.end(), [](const auto& warning) {
              return warning.find("query: URLs") != std::string::npos;
            }), 2);
}

TEST(ConfGrants, PasswordsAreWarnedOf) {
  const Built built = build(kPassword);
  ASSERT_NE(built.settings, nullptr) << built.error;
  ASSERT_EQ(built.warnings.size(), 1U);
  EXPECT_THAT(built.warnings[0], HasSubstr("RFC 9700"));
  EXPECT_TRUE(build("oidc_auth_methods refresh_token").warnings.empty());
  const Built any = build("oidc_auth_methods client_credentials\noidc_audience_required any");
  ASSERT_EQ(any.warnings.size(), 1U);
  EXPECT_THAT(any.warnings[0], HasSubstr("oidc_audience_required"));
}

TEST(ConfGrants, TokenRequests) {
  const Built built = build(
      "oidc_token_post_arg audience https://api.example.com\noidc_token_post_arg tenant $host\n"
      "oidc_token_post_args_client hint device_name\n"
      "oidc_token_header X-Gateway $request_id\noidc_token_headers_client X-Trace\n"
      "oidc_token_headers_replay X-Quota X-Other\n");
  ASSERT_NE(built.settings, nullptr) << built.error;
  const TokenSettings& token = built.settings->token;
  ASSERT_EQ(token.post_args.size(), 2U);
  EXPECT_EQ(token.post_args[0].first, "audience");
  EXPECT_EQ(token.post_args[1].second.text, "$host");
  EXPECT_EQ(token.headers[0].first, "x-gateway");
  EXPECT_THAT(token.post_args_client, ElementsAre("hint", "device_name"));
  EXPECT_THAT(token.headers_client, ElementsAre("x-trace"));
  EXPECT_THAT(token.headers_replay, ElementsAre("x-quota", "x-other"));
  EXPECT_EQ(variable_values(*built.settings).size(), 6U);
  const Built off = build(
      "oidc_token_post_arg off\noidc_token_post_args_client off\noidc_token_header off\n"
      "oidc_token_headers_client off");
  ASSERT_NE(off.settings, nullptr) << off.error;
  EXPECT_TRUE(off.settings->token.post_args.empty());
}

TEST(ConfGrants, WhoAsksForItselfHasAName) {
  const auto builds = [](const std::string& method) {
    ConfLines lines("oidc on\noidc_issuer https://id.example.com\noidc_audience_required api\n");
    lines.add(std::string("oidc_auth_methods ").append(method));
    std::vector<std::string> warnings;
    return build_settings(lines.words(), test_facts(), warnings).ok();
  };
  EXPECT_TRUE(builds("client_credentials"));
  EXPECT_FALSE(builds("password"));
  EXPECT_FALSE(builds("refresh_token"));
}

struct Refused {
  const char* lines;
  const char* why;
};
class ConfGrantsRefused : public ::testing::TestWithParam<Refused> {};

TEST_P(ConfGrantsRefused, SaysWhy) {
  const Built built = build(GetParam().lines);
  ASSERT_EQ(built.settings, nullptr) << GetParam().lines;
  EXPECT_THAT(built.error, StartsWith("oidc")) << "the directive is named";
  EXPECT_THAT(built.error, HasSubstr(GetParam().why));
}

constexpr Refused kRefused[] = {
    {"oidc_auth_methods password", "oidc_audience_required must name"},
    {"oidc_auth_methods client_credentials", "oidc_audience_required must name"},
    {"oidc_auth_methods session password\noidc_audience_required api", "belong together"},
    {"oidc_auth_methods password password\noidc_audience_required api", "twice"},
    {"oidc_auth_methods password\noidc_audience_required api\noidc_unauthenticated redirect",
     "no login without authorization_code"},
    {"oidc_auth_methods password\noidc_audience_required api\noidc_password_param_type body",
     "set oidc_hide_credentials off"},
    {"oidc_auth_methods refresh_token\noidc_refresh_token_param_type body",
     "set oidc_hide_credentials off"},
    {"oidc_auth_methods refresh_token\noidc_using_pseudo_issuer on", "oidc_token_endpoint must be"},
    {"oidc_auth_methods refresh_token\noidc_signing_algs HS256\noidc_enable_hs_signatures on",
     "none of these can verify access tokens"},
    {"oidc_password_param_type cookie", "header, query or body"},
    {"oidc_password_param_type header header", "twice"},
    {"oidc_client_credentials_param_type fragment", "header, query or body"},
    {"oidc_refresh_token_param_type off", "header, query or body"},
    {"oidc_refresh_token_param_name Authorization", "the name of a header"},
    {"oidc_refresh_token_param_name Cookie", "the name of a header"},
    {"oidc_refresh_token_param_name \"a b\"", "the name of a header"},
    {"oidc_token_post_arg alone", "a name and a value"},
    {"oidc_token_post_arg grant_type x", "the protocol sets this argument"},
    {"oidc_token_post_arg username x", "the protocol sets this argument"},
    {"oidc_token_post_arg client_secret x", "the protocol sets this argument"},
    {"oidc_token_post_arg code_verifier x", "the protocol sets this argument"},
    {"oidc_token_post_arg subject_token x", "the protocol sets this argument"},
    {"oidc_token_post_arg a 1\noidc_token_post_arg a 2", "twice"},
    {"oidc_token_post_args_client audience", "no client may"},
    {"oidc_token_post_args_client scope", "no client may"},
    {"oidc_token_post_args_client refresh_token", "no client may"},
    {"oidc_token_post_args_client Authorization", "not the provider's business"},
    {"oidc_token_post_args_client a a", "twice"},
    {"oidc_token_post_args_client a off", "the name of an argument"},
    {"oidc_token_post_arg a 1\noidc_token_post_args_client a", "of the configuration already"},
    {"oidc_token_header Authorization x", "the protocol sets this header"},
    {"oidc_token_header DPoP x", "the protocol sets this header"},
    {"oidc_token_header Content-Type x", "the protocol sets this header"},
    {"oidc_token_header \"X: y\" x", "the name of a header"},
    {"oidc_token_header X-A 1\noidc_token_header x-a 2", "twice"},
    {"oidc_token_headers_client Cookie", "the protocol sets this header"},
    {"oidc_token_headers_replay Set-Cookie", "about the answer"},
    {"oidc_token_headers_replay location", "about the answer"},
    {"oidc_token_headers_replay Access-Control-Allow-Origin", "about the answer"},
    {"oidc_token_headers_replay Content-Length", "the protocol sets this header"},
    {"oidc_token_headers_replay a a", "twice"},
    {"oidc_token_headers_client Host", "the protocol sets this header"},
    {"oidc_token_headers_client X-A x-a", "twice"},
    {"oidc_token_header X-A 1\noidc_token_headers_client x-a", "of the configuration already"},
};
INSTANTIATE_TEST_SUITE_P(All, ConfGrantsRefused, ::testing::ValuesIn(kRefused));

}  // namespace
}  // namespace oidc
