#include <gtest/gtest.h>

#include <string>

#include "oidc/authorization.h"
#include "oidc/form.h"
#include "oidc/url.h"
#include "sample_settings.h"

namespace oidc {
namespace {

AuthorizationRequest request() {
  AuthorizationRequest request;
  request.redirect_uri = "https://app.example.org/callback?x=1&y=2";
  request.state = "the-state";
  request.nonce = "the-nonce";
  request.code_challenge = "the-challenge";
  return request;
}

Form query_of(const std::string& url) {
  const Result<Url> parsed = parse_url(url);
  EXPECT_TRUE(parsed) << url;
  Result<Form> form = Form::parse(parsed->query);
  EXPECT_TRUE(form) << url;
  return *form;
}

Form built(const Settings& settings, const AuthorizationRequest& login) {
  return query_of(authorization_url(settings, test::sample_metadata(), login));
}

TEST(AuthorizationUrl, HoldsTheParametersOfTheCodeFlow) {
  const std::string url =
      authorization_url(test::sample_settings(), test::sample_metadata(), request());
  EXPECT_TRUE(url.starts_with("https://op.example.com/authorize?")) << url;
  const Form query = query_of(url);
  EXPECT_EQ(query.get("response_type"), "code");
  EXPECT_EQ(query.get("client_id"), "gateway");
  EXPECT_EQ(query.get("redirect_uri"), "https://app.example.org/callback?x=1&y=2");
  EXPECT_EQ(query.get("scope"), "openid profile");
  EXPECT_EQ(query.get("state"), "the-state");
  EXPECT_EQ(query.get("nonce"), "the-nonce");
  EXPECT_EQ(query.get("code_challenge"), "the-challenge");
  EXPECT_EQ(query.get("code_challenge_method"), "S256");
  EXPECT_EQ(query.fields().size(), 8U);
}

TEST(AuthorizationUrl, WithoutPkceThereIsNoChallenge) {
  AuthorizationRequest login = request();
  login.code_challenge.clear();
  const Form query = built(test::sample_settings(), login);
  EXPECT_EQ(query.count("code_challenge"), 0U);
  EXPECT_EQ(query.count("code_challenge_method"), 0U);
}

TEST(AuthorizationUrl, FormPostIsAskedFor) {
  Settings settings = test::sample_settings();
  settings.authorization.response_mode = ResponseMode::form_post;
  EXPECT_EQ(built(settings, request()).get("response_mode"), "form_post");
}

TEST(AuthorizationUrl, AsksForMaxAgeAcrAndAudiences) {
  Settings settings = test::sample_settings();
  settings.authorization.max_age = 0;
  settings.authorization.acr_values = {"gold", "silver"};
  settings.authorization.audience = {"https://api.example", "other"};
  const Form query = built(settings, request());
  EXPECT_EQ(query.get("max_age"), "0");
  EXPECT_EQ(query.get("acr_values"), "gold silver");
  EXPECT_EQ(query.count("audience"), 2U);
}

TEST(AuthorizationUrl, ExtrasAreAddedAndEncoded) {
  AuthorizationRequest login = request();
  login.extra = {{"login_hint", "a&state=evil#x"}, {"prompt", "login"}};
  const Form query = built(test::sample_settings(), login);
  EXPECT_EQ(query.get("login_hint"), "a&state=evil#x");
  EXPECT_EQ(query.get("prompt"), "login");
  EXPECT_EQ(query.count("state"), 1U);
}

TEST(AuthorizationUrl, ExtrasNeverOverride) {
  Settings settings = test::sample_settings();
  settings.authorization.max_age = 60;
  settings.authorization.acr_values = {"gold"};
  AuthorizationRequest login = request();
  const Form plain = built(settings, login);
  for (const FormField& field : plain.fields()) login.extra.emplace_back(field.name, "evil");
  const Form query = built(settings, login);
  ASSERT_EQ(query.fields().size(), plain.fields().size());
  for (const FormField& field : plain.fields()) {
    EXPECT_EQ(query.get(field.name), field.value) << field.name;
  }
}

TEST(AuthorizationUrl, TheFirstOfTwoExtrasCounts) {
  AuthorizationRequest login = request();
  login.extra = {{"prompt", "login"}, {"prompt", "none"}};
  const Form query = built(test::sample_settings(), login);
  EXPECT_EQ(query.get("prompt"), "login");
  EXPECT_EQ(query.count("prompt"), 1U);
}

TEST(AuthorizationUrl, AnEndpointKeepsItsOwnQuery) {
  ProviderMetadata metadata = test::sample_metadata();
  metadata.authorization_endpoint = "https://op.example.com/authorize?p=policy";
  const Form query = query_of(authorization_url(test::sample_settings(), metadata, request()));
  EXPECT_EQ(query.get("p"), "policy");
  EXPECT_EQ(query.get("response_type"), "code");
}

TEST(ProtocolParameters, AreNobodysToAdd) {
  for (const char* name :
       {"client_id",     "client_secret", "client_assertion", "client_assertion_type",
        "redirect_uri",  "response_type", "response_mode",    "state",
        "nonce",         "code",          "code_challenge",   "code_challenge_method",
        "code_verifier", "grant_type",    "request",          "request_uri",
        "scope",         "audience",      "resource",         "claims",
        "registration",  "dpop_jkt"}) {
    EXPECT_TRUE(is_protocol_parameter(name)) << name;
  }
  for (const char* name : {"login_hint", "prompt", "ui_locales", "kc_idp_hint", "max_age"}) {
    EXPECT_FALSE(is_protocol_parameter(name)) << name;
  }
}

}  // namespace
}  // namespace oidc
