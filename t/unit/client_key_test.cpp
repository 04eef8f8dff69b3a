#include "oidc/client_key.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "jose_vectors.h"
#include "oidc/base64url.h"
#include "private_keys.h"

namespace oidc {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

std::shared_ptr<const ClientKey> key_of(std::string_view text) {
  auto key = ClientKey::parse(text);
  EXPECT_TRUE(key) << (key ? "" : key.error().detail);
  return key ? *key : nullptr;
}

// What anybody who knows the public part says of the key's signature.
bool verifies(const ClientKey& key, Alg alg, std::string_view input, std::string signature) {
  const auto keys = KeySet::parse(Json{{"keys", {key.public_jwk()}}}.dump());
  EXPECT_TRUE(keys);
  EXPECT_EQ(keys->keys().size(), 1U);
  Jwt jwt;
  jwt.alg = alg;
  jwt.kid = key.kid();
  jwt.signing_input = input;
  jwt.signature = std::move(signature);
  return static_cast<bool>(verify_with_key_set(jwt, *keys));
}

struct Case {
  const char* name;
  std::string_view key;
  std::vector<Alg> algs;  // the usual one first
};
const Case kCases[] = {
    {"rsa", test::kPrivateRsa,
     {Alg::RS256, Alg::RS384, Alg::RS512, Alg::PS256, Alg::PS384, Alg::PS512}},
    {"rsa without primes", test::kPrivateRsaWithoutPrimes, {Alg::RS256, Alg::PS256}},
    {"P-256", test::kPrivateP256, {Alg::ES256}},
    {"P-384", test::kPrivateP384, {Alg::ES384}},
    {"P-521", test::kPrivateP521, {Alg::ES512}},
    {"Ed25519", test::kPrivateEd25519, {Alg::EdDSA, Alg::Ed25519}},
    {"Ed448", test::kPrivateEd448, {Alg::EdDSA}},
    {"PEM", test::kPrivatePem, {Alg::ES256}},
};

TEST(ClientKey, SignsWithEachAlgorithmThatFits) {
  for (const Case& one : kCases) {
    SCOPED_TRACE(one.name);
    const auto key = key_of(one.key);
    ASSERT_NE(key, nullptr);
    EXPECT_EQ(key->usual_alg(), one.algs.front());
    for (int number = 0; number <= static_cast<int>(Alg::HS512); ++number) {
      const auto alg = static_cast<Alg>(number);
      const bool usable = std::find(one.algs.begin(), one.algs.end(), alg) != one.algs.end();
      if (key->fits(alg) && !usable) continue;  // RSA without primes: not all are tried
      ASSERT_EQ(key->fits(alg), usable) << to_string(alg);
      if (!usable) continue;
      const std::string signature = key->sign(alg, "header.claims");
      EXPECT_TRUE(verifies(*key, alg, "header.claims", signature)) << to_string(alg);
      EXPECT_FALSE(verifies(*key, alg, "header.claimz", signature)) << to_string(alg);
    }
  }
}

// RFC 8037 A.4: Ed25519 is deterministic.
TEST(ClientKey, Rfc8037Vector) {
  const auto key = key_of(test::kPrivateEd25519);
  const std::string input = "eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc";
  EXPECT_EQ(base64url_encode(key->sign(Alg::EdDSA, input)),
            "hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg");
  // A.3: the thumbprint.
  EXPECT_EQ(key->kid(), "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k");
}

TEST(ClientKey, ItsOwnNameAndAlgorithm) {
  EXPECT_EQ(key_of(test::kPrivateRsa)->kid(), "r1");
  Json jwk = Json::parse(test::kPrivateRsa);
  jwk["alg"] = "PS384";
  const auto key = key_of(jwk.dump());
  EXPECT_EQ(key->usual_alg(), Alg::PS384);
  EXPECT_FALSE(key->fits(Alg::RS256));
}

TEST(ClientKey, ThePublicPartHoldsNothingPrivate) {
  for (const Case& one : kCases) {
    const Json jwk = key_of(one.key)->public_jwk();
    for (const char* name : {"d", "p", "q", "dp", "dq", "qi", "k"}) {
      EXPECT_FALSE(jwk.contains(name)) << one.name;
    }
    EXPECT_EQ(jwk["use"], "sig");
  }
}

void expect_refused(std::string_view text, const char* why) {
  const auto key = ClientKey::parse(text);
  ASSERT_FALSE(key) << text;
  EXPECT_EQ(key.error().code, Errc::invalid_configuration);
  EXPECT_THAT(key.error().detail, HasSubstr(why));
}

TEST(ClientKey, WhatIsNoneIsRefused) {
  expect_refused("", "neither PEM nor a JSON Web Key");
  expect_refused("not json", "neither PEM");
  expect_refused("{}", "no private JSON Web Key");
  expect_refused(test::kRfc7515A3Key, "no private JSON Web Key");  // public
  expect_refused(test::kPublicPem, "no unencrypted private key");
  expect_refused(test::kPrivateEncryptedPem, "no unencrypted private key");
  expect_refused(R"({"kty":"oct","k":"AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ"})", "no private JSON");
  expect_refused(test::kPrivateRsaSmall, "2048 bits");
}

TEST(ClientKey, PartsOfTwoKeysAreRefused) {
  for (const std::string_view text :
       {test::kPrivateP256, test::kPrivateP384, test::kPrivateRsaWithoutPrimes}) {
    Json jwk = Json::parse(text);
    std::string d = *base64url_decode(jwk["d"].get<std::string>());
    d.back() = static_cast<char>(d.back() ^ 2);
    jwk["d"] = base64url_encode(d);
    EXPECT_FALSE(ClientKey::parse(jwk.dump())) << text;
  }
}

TEST(ClientKey, AnErrorNeverQuotesTheKey) {
  Json jwk = Json::parse(test::kPrivateP256);
  jwk["crv"] = "P-999";
  const auto key = ClientKey::parse(jwk.dump());
  ASSERT_FALSE(key);
  EXPECT_THAT(key.error().detail, Not(HasSubstr(jwk["d"].get<std::string>())));
}

TEST(ClientKey, Hmac) {
  EXPECT_EQ(hmac_secret_size(Alg::HS256), 32U);
  EXPECT_EQ(hmac_secret_size(Alg::HS512), 64U);
  EXPECT_EQ(hmac_secret_size(Alg::RS256), 0U);
  const std::string_view token = test::kRfc7515A1Token;
  const std::size_t dot = token.rfind('.');
  const std::string secret = *base64url_decode(test::kRfc7515A1Key);
  EXPECT_EQ(base64url_encode(hmac_signature(Alg::HS256, secret, token.substr(0, dot))),
            token.substr(dot + 1));
}

}  // namespace
}  // namespace oidc
