#include <gtest/gtest.h>

#include <string>

#include "oidc/authorization.h"
#include "result_code.h"
#include "sample_settings.h"

namespace oidc {
namespace {

using test::code_of;

Result<AuthorizationResponse> read(std::string_view query) {
  const Result<Form> form = Form::parse(query);
  EXPECT_TRUE(form) << query;
  return read_authorization_response(*form);
}

TEST(AuthorizationResponse, ReadsACode) {
  const auto response = read("code=the-code&state=the-state&session_state=x&unknown=1&unknown=2");
  ASSERT_TRUE(response);
  EXPECT_EQ(response->code, "the-code");
  EXPECT_EQ(response->state, "the-state");
  EXPECT_EQ(response->error, "");
  EXPECT_FALSE(response->iss);
}

TEST(AuthorizationResponse, ReadsAnError) {
  const auto response =
      read("error=access_denied&error_description=no&state=s&iss=https%3A%2F%2Fop");
  ASSERT_TRUE(response);
  EXPECT_EQ(response->code, "");
  EXPECT_EQ(response->error, "access_denied");
  EXPECT_EQ(response->iss, "https://op");
}

TEST(AuthorizationResponse, AnEmptyIssIsStillOne) {
  const auto response = read("code=c&state=s&iss=");
  ASSERT_TRUE(response);
  EXPECT_EQ(response->iss, "");
}

TEST(AuthorizationResponse, RefusesParametersThatCameTwice) {
  for (const char* name :
       {"code", "state", "iss", "error", "error_description", "session_state", "response"}) {
    const std::string twice = std::string(name) + "=a&" + name + "=a";
    const auto response = read("code=c&state=s&" + twice);
    ASSERT_EQ(code_of(response), Errc::parameter_duplicated) << name;
    EXPECT_EQ(response.error().detail, name);
  }
  EXPECT_EQ(code_of(read("code=&code=c&state=s")), Errc::parameter_duplicated);
}

TEST(AuthorizationResponse, NeedsAState) {
  for (const char* query : {"", "code=c", "code=c&state=", "error=access_denied"}) {
    EXPECT_EQ(code_of(read(query)), Errc::state_missing) << query;
  }
}

TEST(AuthorizationResponse, NeverBothCodeAndError) {
  EXPECT_EQ(code_of(read("code=c&error=access_denied&state=s")), Errc::parameter_malformed);
}

TEST(AuthorizationResponse, NeitherIsForTheFlowToJudge) {
  const auto response = read("state=s");
  ASSERT_TRUE(response);
  EXPECT_EQ(response->code, "");
  EXPECT_EQ(response->error, "");
}

TEST(AuthorizationResponse, ACodeIsPrintable) {
  for (const char* query : {"code=a%0Ab&state=s", "code=%7F&state=s", "code=%C3%A9&state=s"}) {
    EXPECT_EQ(code_of(read(query)), Errc::parameter_malformed) << query;
  }
  EXPECT_TRUE(read("code=a%20b~!%22&state=s"));
}

struct IssCase {
  std::optional<std::string> iss;
  bool announced, required;
  Errc expected;
};

TEST(ResponseIss, IsComparedWhenPresentAndMissedWhenPromised) {
  const std::string right(test::kIssuer);
  const IssCase cases[] = {
      {right, false, false, Errc::none},
      {right, true, true, Errc::none},
      {std::nullopt, false, false, Errc::none},
      {std::nullopt, true, false, Errc::iss_missing},
      {std::nullopt, false, true, Errc::iss_missing},
      {right + "/", false, false, Errc::iss_mismatch},
      {"https://evil.example", true, true, Errc::iss_mismatch},
      {"", false, false, Errc::iss_mismatch},
  };
  for (const IssCase& one : cases) {
    Settings settings = test::sample_settings();
    settings.authorization.require_iss = one.required;
    ProviderMetadata metadata = test::sample_metadata();
    metadata.iss_parameter = one.announced;
    AuthorizationResponse response;
    response.iss = one.iss;
    EXPECT_EQ(code_of(check_response_iss(response, settings, metadata)), one.expected)
        << one.iss.value_or("none") << one.announced << one.required;
  }
}

TEST(AuthorizationError, MeansOneOfFour) {
  EXPECT_EQ(authorization_error("access_denied"), Errc::access_denied);
  for (const char* error : {"login_required", "interaction_required", "consent_required",
                            "account_selection_required"}) {
    EXPECT_EQ(authorization_error(error), Errc::login_required) << error;
  }
  for (const char* error : {"temporarily_unavailable", "server_error"}) {
    EXPECT_EQ(authorization_error(error), Errc::provider_unavailable) << error;
  }
  for (const char* error :
       {"invalid_request", "invalid_scope", "unauthorized_client", "<script>"}) {
    EXPECT_EQ(authorization_error(error), Errc::provider_error) << error;
  }
}

}  // namespace
}  // namespace oidc
