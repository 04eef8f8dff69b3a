#include <gtest/gtest.h>

#include <algorithm>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "oidc/authorization.h"
#include "result_code.h"
#include "sample_settings.h"

namespace oidc {
namespace {

using Methods = std::optional<std::vector<std::string>>;

bool is_base64url(std::string_view text) {
  return std::all_of(text.begin(), text.end(),
                     [](unsigned char c) { return std::isalnum(c) != 0 || c == '-' || c == '_'; });
}

TEST(Pkce, ChallengeOfRfc7636AppendixB) {
  EXPECT_EQ(code_challenge_s256("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"),
            "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM");
}

TEST(Pkce, VerifiersAndNoncesAreLongAndNeverTheSame) {
  std::set<std::string> seen;
  for (int i = 0; i < 100; ++i) {
    const std::string verifier = make_code_verifier();
    EXPECT_EQ(verifier.size(), 43U);  // 43 to 128: RFC 7636 section 4.1
    EXPECT_TRUE(is_base64url(verifier));
    EXPECT_TRUE(seen.insert(verifier).second);
    const std::string nonce = make_nonce();
    EXPECT_GE(nonce.size(), 22U);
    EXPECT_TRUE(is_base64url(nonce));
    EXPECT_TRUE(seen.insert(nonce).second);
  }
}

// 1: yes, 0: no, -1: refused.
int decided(const Settings& settings, const Methods& offered) {
  ProviderMetadata metadata = test::sample_metadata();
  metadata.code_challenge_methods = offered;
  const Result<bool> use = use_pkce(settings, metadata);
  if (use) return *use ? 1 : 0;
  EXPECT_EQ(use.error().code, Errc::pkce_unsupported);
  return -1;
}

Settings with(Toggle pkce) {
  Settings settings = test::sample_settings();
  settings.authorization.pkce = pkce;
  return settings;
}

const Methods kUnknown = std::nullopt;
const Methods kNone = std::vector<std::string>{};
const Methods kS256 = std::vector<std::string>{"S256"};
const Methods kBoth = std::vector<std::string>{"plain", "S256"};
const Methods kPlain = std::vector<std::string>{"plain"};

TEST(Pkce, AutomaticFollowsDiscovery) {
  const Settings settings = with(Toggle::automatic);
  EXPECT_EQ(decided(settings, kUnknown), 0);
  EXPECT_EQ(decided(settings, kNone), 0);
  EXPECT_EQ(decided(settings, kS256), 1);
  EXPECT_EQ(decided(settings, kBoth), 1);
  EXPECT_EQ(decided(settings, kPlain), -1);
}

TEST(Pkce, OnIsOnUnlessTheProviderCannot) {
  const Settings settings = with(Toggle::on);
  EXPECT_EQ(decided(settings, kUnknown), 1);
  EXPECT_EQ(decided(settings, kNone), 1);
  EXPECT_EQ(decided(settings, kS256), 1);
  EXPECT_EQ(decided(settings, kBoth), 1);
  EXPECT_EQ(decided(settings, kPlain), -1);
}

TEST(Pkce, OffIsOff) {
  const Settings settings = with(Toggle::off);
  for (const Methods& offered : {kUnknown, kNone, kS256, kBoth, kPlain}) {
    EXPECT_EQ(decided(settings, offered), 0);
  }
}

TEST(Pkce, APublicClientAlwaysUsesIt) {
  Settings without_secret = with(Toggle::automatic);
  without_secret.client.secret = Secret();
  Settings none = with(Toggle::automatic);
  none.client.auth = ClientAuth::none;
  Settings none_there = with(Toggle::automatic);  // the secret is for another endpoint
  none_there.client.token_auth = ClientAuth::none;
  for (const Settings* settings : {&without_secret, &none, &none_there}) {
    EXPECT_EQ(decided(*settings, kUnknown), 1);
    EXPECT_EQ(decided(*settings, kNone), 1);
    EXPECT_EQ(decided(*settings, kS256), 1);
    EXPECT_EQ(decided(*settings, kPlain), -1);
  }
}

TEST(Pkce, APseudoIssuerAlwaysUsesIt) {
  Settings settings = with(Toggle::automatic);
  settings.provider.discover = false;
  EXPECT_EQ(decided(settings, kUnknown), 1);
}

TEST(Pkce, NamesOfMethodsAreCompared) {
  const Settings settings = with(Toggle::automatic);
  EXPECT_EQ(decided(settings, std::vector<std::string>{"s256"}), -1);
  EXPECT_EQ(decided(settings, std::vector<std::string>{"S256x"}), -1);
}

}  // namespace
}  // namespace oidc
