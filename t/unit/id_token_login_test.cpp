// Claims whose check depends on how the user was sent to the provider, and on the refresh.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "id_token_sample.h"
#include "oidc/id_token.h"
#include "result_code.h"

namespace oidc {
namespace {

using test::IdTokenSample;
constexpr Seconds kNow = IdTokenSample::kNow;
constexpr Seconds kLeeway = IdTokenSample::kLeeway;

TEST(IdTokenMaxAge, NeedsARecentAuthTime) {
  IdTokenSample sample;
  sample.expected.max_age = 100;
  EXPECT_EQ(sample.check_with("auth_time", kNow), Errc::none);
  EXPECT_EQ(sample.check_with("auth_time", kNow - 100 - kLeeway), Errc::none);
  EXPECT_EQ(sample.check_with("auth_time", kNow - 100 - kLeeway - 1), Errc::id_token_auth_time);
  EXPECT_EQ(sample.check_with("auth_time", std::to_string(kNow)), Errc::id_token_auth_time);
  EXPECT_EQ(sample.check_with("auth_time", -1), Errc::id_token_auth_time);
  EXPECT_EQ(sample.check_with("auth_time", kNow + kLeeway), Errc::none);
  EXPECT_EQ(sample.check_with("auth_time", kNow + kLeeway + 1), Errc::id_token_auth_time);
  EXPECT_EQ(sample.check_without("auth_time"), Errc::id_token_auth_time);
}

TEST(IdTokenMaxAge, OfZeroMeansJustNow) {
  IdTokenSample sample;
  sample.expected.max_age = 0;
  sample.expected.leeway = 0;
  EXPECT_EQ(sample.check_with("auth_time", kNow), Errc::none);
  EXPECT_EQ(sample.check_with("auth_time", kNow - 1), Errc::id_token_auth_time);
}

TEST(IdTokenMaxAge, NotAskedForIsNotChecked) {
  const IdTokenSample sample;
  EXPECT_EQ(sample.check_with("auth_time", 1), Errc::none);
  EXPECT_EQ(sample.check_with("auth_time", "x"), Errc::none);
}

TEST(IdTokenAcr, IsOneOfThoseAskedFor) {
  IdTokenSample sample;
  const std::vector<std::string> wanted = {"gold", "silver"};
  sample.expected.acr_values = &wanted;
  EXPECT_EQ(sample.check_with("acr", "gold"), Errc::none);
  EXPECT_EQ(sample.check_with("acr", "silver"), Errc::none);
  EXPECT_EQ(sample.check_with("acr", "0"), Errc::id_token_acr);
  EXPECT_EQ(sample.check_with("acr", "gold silver"), Errc::id_token_acr);
  EXPECT_EQ(sample.check_with("acr", Json::array({"gold"})), Errc::id_token_acr);
  EXPECT_EQ(sample.check_without("acr"), Errc::id_token_acr);
  const std::vector<std::string> none;
  sample.expected.acr_values = &none;
  EXPECT_EQ(sample.check(), Errc::none);
}

// OpenID Connect Core 12.2.
struct Refreshed : IdTokenSample {
  Refreshed() {
    expected.nonce_required = false;
    expected.subject = "alice";
    expected.auth_time = kNow - 5000;
    jwt.claims["auth_time"] = kNow - 5000;
    jwt.claims.erase("nonce");
  }
};

TEST(IdTokenOfARefresh, NeedsNoNonceButTheLoginsIfThereIsOne) {
  const Refreshed sample;
  EXPECT_EQ(sample.check(), Errc::none);
  EXPECT_EQ(sample.check_with("nonce", "the-nonce"), Errc::none);
  EXPECT_EQ(sample.check_with("nonce", "other"), Errc::id_token_nonce);
  EXPECT_EQ(sample.check_with("nonce", ""), Errc::id_token_nonce);
  EXPECT_EQ(sample.check_with("nonce", nullptr), Errc::id_token_nonce);
}

TEST(IdTokenOfARefresh, IsAboutTheSameSubject) {
  const Refreshed sample;
  EXPECT_EQ(sample.check_with("sub", "bob"), Errc::id_token_sub);
  EXPECT_EQ(sample.check_without("sub"), Errc::id_token_sub);
}

TEST(IdTokenOfARefresh, HasTheSameIssuerAndAudience) {
  const Refreshed sample;
  EXPECT_EQ(sample.check_with("iss", "https://evil.example"), Errc::id_token_iss);
  EXPECT_EQ(sample.check_with("aud", "other"), Errc::id_token_aud);
  EXPECT_EQ(sample.check_with("azp", "other"), Errc::id_token_azp);
}

TEST(IdTokenOfARefresh, AuthTimeIsTheLogins) {
  Refreshed sample;
  EXPECT_EQ(sample.check_without("auth_time"), Errc::none);
  EXPECT_EQ(sample.check_with("auth_time", kNow), Errc::id_token_auth_time);
  sample.expected.auth_time = 0;
  EXPECT_EQ(sample.check_with("auth_time", kNow), Errc::none);
}

}  // namespace
}  // namespace oidc
