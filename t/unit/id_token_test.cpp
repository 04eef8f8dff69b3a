#include "oidc/id_token.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "id_token_sample.h"
#include "result_code.h"

namespace oidc {
namespace {

using test::IdTokenSample;
constexpr Seconds kNow = IdTokenSample::kNow;
constexpr Seconds kLeeway = IdTokenSample::kLeeway;

const Json kNotStrings[] = {nullptr, 5, true, Json::array(), Json::object(), ""};

TEST(IdToken, TellsWhoItIsAbout) {
  IdTokenSample sample;
  sample.jwt.claims["sid"] = "provider-session";
  sample.jwt.claims["auth_time"] = kNow - 10;
  sample.jwt.claims["acr"] = "gold";
  const Result<IdTokenFacts> facts = check_id_token(sample.jwt, sample.expected);
  ASSERT_TRUE(facts);
  EXPECT_EQ(facts->subject, "alice");
  EXPECT_EQ(facts->provider_sid, "provider-session");
  EXPECT_EQ(facts->auth_time, kNow - 10);
  EXPECT_EQ(facts->acr, "gold");
}

TEST(IdToken, SidAuthTimeAndAcrAreOptional) {
  const IdTokenSample sample;
  const Result<IdTokenFacts> facts = check_id_token(sample.jwt, sample.expected);
  ASSERT_TRUE(facts);
  EXPECT_EQ(facts->provider_sid, "");
  EXPECT_EQ(facts->auth_time, 0);
  EXPECT_EQ(facts->acr, "");
}

TEST(IdToken, IssuerIsCompared) {
  const IdTokenSample sample;
  for (const char* issuer : {"https://op.example.com/", "http://op.example.com", "https://evil"}) {
    EXPECT_EQ(sample.check_with("iss", issuer), Errc::id_token_iss) << issuer;
  }
  for (const Json& value : kNotStrings) {
    EXPECT_EQ(sample.check_with("iss", value), Errc::id_token_iss) << value;
  }
  EXPECT_EQ(sample.check_with("iss", Json::array({"https://op.example.com"})), Errc::id_token_iss);
  EXPECT_EQ(sample.check_without("iss"), Errc::id_token_iss);
}

TEST(IdToken, SubjectIsThere) {
  const IdTokenSample sample;
  EXPECT_EQ(sample.check_with("sub", "bob"), Errc::none);
  for (const Json& value : kNotStrings) {
    EXPECT_EQ(sample.check_with("sub", value), Errc::id_token_sub) << value;
  }
  EXPECT_EQ(sample.check_without("sub"), Errc::id_token_sub);
}

TEST(IdToken, AudienceIsTheClient) {
  const IdTokenSample sample;
  EXPECT_EQ(sample.check_with("aud", Json::array({"gateway"})), Errc::none);
  EXPECT_EQ(sample.check_with("aud", "other"), Errc::id_token_aud);
  EXPECT_EQ(sample.check_with("aud", "Gateway"), Errc::id_token_aud);
  EXPECT_EQ(sample.check_with("aud", "gateway "), Errc::id_token_aud);
  for (const Json& value : kNotStrings) {
    EXPECT_EQ(sample.check_with("aud", value), Errc::id_token_aud) << value;
  }
  EXPECT_EQ(sample.check_with("aud", Json::array({"gateway", 5})), Errc::id_token_aud);
  EXPECT_EQ(sample.check_without("aud"), Errc::id_token_aud);
}

TEST(IdToken, FurtherAudiencesAreTheConfiguredOnes) {
  IdTokenSample sample;
  const Json two = Json::array({"gateway", "api"});
  EXPECT_EQ(sample.check_with("aud", two), Errc::id_token_aud);
  const std::vector<std::string> further = {"api"};
  sample.expected.further_audiences = &further;
  EXPECT_EQ(sample.check_with("aud", two), Errc::none);
  EXPECT_EQ(sample.check_with("aud", Json::array({"api", "gateway"})), Errc::none);
  EXPECT_EQ(sample.check_with("aud", Json::array({"gateway", "api", "x"})), Errc::id_token_aud);
  EXPECT_EQ(sample.check_with("aud", "api"), Errc::id_token_aud);
}

TEST(IdToken, AuthorizedPartyIsTheClientWhereThereIsOne) {
  IdTokenSample sample;
  EXPECT_EQ(sample.check_with("azp", "gateway"), Errc::none);
  EXPECT_EQ(sample.check_with("azp", "other"), Errc::id_token_azp);
  for (const Json& value : kNotStrings) {
    EXPECT_EQ(sample.check_with("azp", value), Errc::id_token_azp) << value;
  }
}

TEST(IdToken, Expiry) {
  const IdTokenSample sample;
  EXPECT_EQ(sample.check_with("exp", kNow - kLeeway + 1), Errc::none);
  EXPECT_EQ(sample.check_with("exp", kNow - kLeeway), Errc::id_token_exp);
  EXPECT_EQ(sample.check_with("exp", 0), Errc::id_token_exp);
  EXPECT_EQ(sample.check_with("exp", -1), Errc::id_token_exp);
  EXPECT_EQ(sample.check_with("exp", 1e300), Errc::none);
  EXPECT_EQ(sample.check_with("exp", std::to_string(kNow + 300)), Errc::id_token_exp);
  EXPECT_EQ(sample.check_with("exp", nullptr), Errc::id_token_exp);
  EXPECT_EQ(sample.check_without("exp"), Errc::id_token_exp);
}

TEST(IdToken, IssuedAt) {
  const IdTokenSample sample;
  EXPECT_EQ(sample.check_with("iat", kNow + kLeeway), Errc::none);
  EXPECT_EQ(sample.check_with("iat", kNow + kLeeway + 1), Errc::id_token_iat);
  EXPECT_EQ(sample.check_with("iat", 1e300), Errc::id_token_iat);
  EXPECT_EQ(sample.check_with("iat", std::to_string(kNow)), Errc::id_token_iat);
  EXPECT_EQ(sample.check_without("iat"), Errc::id_token_iat);
}

TEST(IdToken, NotBeforeWhereThereIsOne) {
  const IdTokenSample sample;
  EXPECT_EQ(sample.check_with("nbf", kNow + kLeeway), Errc::none);
  EXPECT_EQ(sample.check_with("nbf", kNow + kLeeway + 1), Errc::id_token_nbf);
  EXPECT_EQ(sample.check_with("nbf", "soon"), Errc::id_token_nbf);
  EXPECT_EQ(sample.check_with("nbf", nullptr), Errc::id_token_nbf);
}

TEST(IdToken, WithoutLeewayTheSecondCounts) {
  IdTokenSample sample;
  sample.expected.leeway = 0;
  EXPECT_EQ(sample.check_with("exp", kNow + 1), Errc::none);
  EXPECT_EQ(sample.check_with("exp", kNow), Errc::id_token_exp);
  EXPECT_EQ(sample.check_with("iat", kNow + 1), Errc::id_token_iat);
}

TEST(IdToken, NonceOfALogin) {
  const IdTokenSample sample;
  EXPECT_EQ(sample.check_with("nonce", "the-nonce2"), Errc::id_token_nonce);
  EXPECT_EQ(sample.check_with("nonce", "The-nonce"), Errc::id_token_nonce);
  for (const Json& value : kNotStrings) {
    EXPECT_EQ(sample.check_with("nonce", value), Errc::id_token_nonce) << value;
  }
  EXPECT_EQ(sample.check_without("nonce"), Errc::id_token_nonce);
}

}  // namespace
}  // namespace oidc
