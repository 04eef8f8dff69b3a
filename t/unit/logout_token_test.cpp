// Back-Channel Logout 1.0 with errata 1, sections 2.4 and 2.6, check by check.
#include <gtest/gtest.h>

#include "logout_token_sample.h"
#include "oidc/logout.h"
#include "result_code.h"

namespace oidc {
namespace {

using namespace test;

constexpr Seconds kNow = 1'700'000'000;
constexpr Seconds kLeeway = 60;

class LogoutToken : public testing::Test {
 protected:
  LogoutToken() {
    expected_.issuer = kIssuer;
    expected_.client_id = kClientId;
    expected_.now = kNow;
    expected_.leeway = kLeeway;
  }
  Result<LogoutTokenFacts> check(const LogoutTokenSample& token) {
    const Result<Jwt> jwt = parse_jwt(token.signed_by(SigningKey::ec("first")));
    return check_logout_token(*jwt, expected_);
  }
  // The check that failed; empty: none did.
  std::string fault(const LogoutTokenSample& token) {
    const auto facts = check(token);
    if (facts) return {};
    EXPECT_EQ(facts.error().code, Errc::logout_token_invalid);
    return facts.error().detail;
  }
  std::string fault(const char* claim, const nlohmann::json& value) {
    return fault(good_.with(claim, value));
  }

  LogoutTokenSample good_{kNow};
  LogoutTokenExpectations expected_;
};

TEST_F(LogoutToken, AGoodOne) {
  const auto facts = check(good_);
  ASSERT_TRUE(facts);
  EXPECT_EQ(facts->subject, "alice");
  EXPECT_EQ(facts->provider_sid, "provider-session");
  EXPECT_EQ(facts->jti, "jti-1");
  EXPECT_EQ(facts->valid_until, kNow + 120 + kLeeway);
}

TEST_F(LogoutToken, SidOrSubOrBoth) {
  EXPECT_EQ(fault(good_.without("sid")), "");
  EXPECT_EQ(fault(good_.without("sub")), "");
  EXPECT_EQ(fault(good_.without("sub").without("sid")), "neither sid nor sub");
  for (const char* claim : {"sub", "sid"}) {
    for (const nlohmann::json& value :
         {nlohmann::json(5), nlohmann::json(""), nlohmann::json(nullptr), nlohmann::json::array(),
          nlohmann::json(std::string(5000, 'a'))}) {
      EXPECT_EQ(fault(claim, value), claim) << value;
    }
  }
}

TEST_F(LogoutToken, Type) {
  for (const char* typ : {"logout+jwt", "LOGOUT+JWT", "application/logout+jwt", "JWT", "jwt"}) {
    EXPECT_EQ(fault(good_.typed(typ)), "") << typ;
  }
  for (const char* typ : {"at+jwt", "id_token+jwt", "dpop+jwt", "secevent+jwt", "", "logout"}) {
    EXPECT_EQ(fault(good_.typed(typ)), "typ") << typ;
  }
}

TEST_F(LogoutToken, Parties) {
  EXPECT_EQ(fault("iss", "https://op.example.com/"), "iss");
  EXPECT_EQ(fault("iss", 5), "iss");
  EXPECT_EQ(fault(good_.without("iss")), "iss");
  EXPECT_EQ(fault("aud", {kClientId}), "");
  EXPECT_EQ(fault("aud", "another"), "aud");
  EXPECT_EQ(fault("aud", nlohmann::json::array()), "aud");
  EXPECT_EQ(fault("aud", 5), "aud");
  EXPECT_EQ(fault(good_.without("aud")), "aud");
  EXPECT_EQ(fault("aud", {kClientId, "another"}), "an audience is not trusted");
  const std::vector<std::string> further = {"another"};
  expected_.further_audiences = &further;
  EXPECT_EQ(fault("aud", {kClientId, "another"}), "");
  EXPECT_EQ(fault("aud", {"another"}), "aud");
}

TEST_F(LogoutToken, Times) {
  EXPECT_EQ(fault(good_.without("iat")), "iat");
  EXPECT_EQ(fault("iat", "now"), "iat");
  EXPECT_EQ(fault("iat", kNow + kLeeway), "");
  EXPECT_EQ(fault("iat", kNow + kLeeway + 1), "iat");
  EXPECT_EQ(fault("exp", kNow - kLeeway + 1), "");
  EXPECT_EQ(fault("exp", kNow - kLeeway), "exp");
  EXPECT_EQ(fault("exp", "tomorrow"), "exp");
  EXPECT_EQ(fault("exp", nullptr), "exp");
  EXPECT_EQ(fault("exp", kNow + 10 * 365 * 86400LL), "exp is too far ahead");
  EXPECT_EQ(fault("nbf", kNow), "");
  EXPECT_EQ(fault("nbf", kNow + kLeeway + 1), "nbf");
  EXPECT_EQ(fault("nbf", "soon"), "nbf");
}

TEST_F(LogoutToken, WithoutExpOnlyWhereAllowedAndFresh) {
  EXPECT_EQ(fault(good_.without("exp")), "no exp; see oidc_backchannel_logout_exp");
  expected_.exp_required = false;
  const auto facts = check(good_.without("exp"));
  ASSERT_TRUE(facts);
  EXPECT_EQ(facts->valid_until, kNow + 300 + kLeeway);
  EXPECT_EQ(fault(good_.without("exp").with("iat", kNow - 300 - kLeeway)), "");
  EXPECT_EQ(fault(good_.without("exp").with("iat", kNow - 301 - kLeeway)),
            "no exp, and iat is too long ago");
  EXPECT_EQ(fault("exp", kNow - kLeeway), "exp");  // one that is there counts
}

TEST_F(LogoutToken, Event) {
  EXPECT_EQ(fault(good_.without("events")), "events");
  EXPECT_EQ(fault("events", nlohmann::json::array({kLogoutEvent})), "events");
  EXPECT_EQ(fault("events", kLogoutEvent), "events");
  EXPECT_EQ(fault("events", nlohmann::json::object()), "events: not a logout");
  EXPECT_EQ(fault("events", {{"http://schemas.openid.net/event/backchannel-logout/",
                              nlohmann::json::object()}}),
            "events: not a logout");
  for (const nlohmann::json& value :
       {nlohmann::json(nullptr), nlohmann::json(true), nlohmann::json("x"), nlohmann::json::array()}) {
    EXPECT_EQ(fault("events", {{kLogoutEvent, value}}), "events: not a logout") << value;
  }
  EXPECT_EQ(fault("events", {{kLogoutEvent, {{"more", 1}}}, {"urn:other", 5}}), "");
}

TEST_F(LogoutToken, NeverANonce) {
  EXPECT_EQ(fault("nonce", "n"), "nonce");
  EXPECT_EQ(fault("nonce", nullptr), "nonce");
}

TEST_F(LogoutToken, AnIdentifier) {
  EXPECT_EQ(fault(good_.without("jti")), "jti");
  EXPECT_EQ(fault("jti", ""), "jti");
  EXPECT_EQ(fault("jti", 7), "jti");
}

TEST_F(LogoutToken, WhoseItIs) {
  const auto is_ours = [](const LogoutTokenSample& token) {
    const Result<Jwt> jwt = parse_jwt(token.signed_by(SigningKey::ec("first")));
    return is_logout_token_for(*jwt, kIssuer, kClientId);
  };
  EXPECT_TRUE(is_ours(good_));
  EXPECT_TRUE(is_ours(good_.with("aud", {"another", kClientId})));
  EXPECT_FALSE(is_ours(good_.with("aud", "another")));
  EXPECT_FALSE(is_ours(good_.with("iss", "https://evil.example")));
  EXPECT_FALSE(is_ours(good_.without("aud")));
}

}  // namespace
}  // namespace oidc
