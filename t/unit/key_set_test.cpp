#include <gtest/gtest.h>
#include <openssl/err.h>

#include <string>

#include "jose_vectors.h"
#include "oidc/base64url.h"
#include "oidc/jose.h"

namespace oidc {
namespace {

using namespace std::string_view_literals;

KeySet set_of(std::initializer_list<std::string> keys) {
  std::string json = "{\"keys\":[";
  for (const std::string& key : keys) json += (json.back() == '[' ? "" : ",") + key;
  Result<KeySet> set = KeySet::parse(json + "]}");
  EXPECT_TRUE(set);
  return std::move(*set);
}

// The key with members changed; a null removes one.
std::string with(std::string_view key, const Json& changes) {
  Json out = Json::parse(key);
  out.merge_patch(changes);
  return out.dump();
}

bool usable(const std::string& key) {
  return set_of({key}).keys().size() == 1;
}

std::string kids(const std::vector<const Jwk*>& keys) {
  std::string out;
  for (const Jwk* key : keys) out += "[" + key->kid + "]";
  return out;
}

TEST(KeySet, KeysOfAllTypes) {
  const KeySet set =
      set_of({std::string(test::kRsaKey), std::string(test::kP256Key), std::string(test::kP384Key),
              std::string(test::kP521Key), std::string(test::kEd25519Key),
              std::string(test::kEd448Key), std::string(test::kRfc7520RsaKey)});
  ASSERT_EQ(set.keys().size(), 7U);
  EXPECT_EQ(set.keys()[0].type, KeyType::rsa);
  EXPECT_EQ(set.keys()[1].type, KeyType::ec_p256);
  EXPECT_EQ(set.keys()[2].type, KeyType::ec_p384);
  EXPECT_EQ(set.keys()[3].type, KeyType::ec_p521);
  EXPECT_EQ(set.keys()[4].type, KeyType::ed25519);
  EXPECT_EQ(set.keys()[5].type, KeyType::ed448);
  EXPECT_EQ(set.keys()[6].kid, "bilbo.baggins@hobbiton.example");
  EXPECT_TRUE(set.has_kid("p384"));
  EXPECT_FALSE(set.has_kid("p385"));
}

TEST(KeySet, WhatIsNoKeySet) {
  for (const std::string_view json :
       {""sv, "null"sv, "[]"sv, "{}"sv, R"({"keys":null})"sv, R"({"keys":{}})"sv,
        R"({"Keys":[]})"sv, R"({"keys":[],"keys":[]})"sv, R"({"keys":[)"sv, "<html>"sv,
        R"({"keys":[{"kty":"RSA","kty":"EC"}]})"sv}) {
    const Result<KeySet> set = KeySet::parse(json);
    ASSERT_FALSE(set) << json;
    EXPECT_EQ(set.error().code, Errc::jwks_invalid);
  }
}

TEST(KeySet, NoKeysAreStillASet) {
  const Result<KeySet> set = KeySet::parse(R"({"keys":[],"other":1})");
  ASSERT_TRUE(set);
  EXPECT_TRUE(set->keys().empty());
}

TEST(KeySet, OddMembersAreSkippedAndTheOthersStay) {
  const KeySet set =
      set_of({"null", "1", "\"x\"", "[]", "{}", R"({"kty":5})", R"({"kty":"RSA"})",
              R"({"kty":"oct","k":"c2VjcmV0"})", R"({"kty":"AKP"})", std::string(test::kP256Key)});
  ASSERT_EQ(set.keys().size(), 1U);
  EXPECT_EQ(set.keys()[0].kid, "p256");
}

TEST(KeySet, Purpose) {
  const auto purpose = [](const Json& changes) { return usable(with(test::kP256Key, changes)); };
  EXPECT_TRUE(purpose({{"use", "sig"}}));
  EXPECT_FALSE(purpose({{"use", "enc"}}));
  EXPECT_FALSE(purpose({{"use", 1}}));
  EXPECT_TRUE(purpose({{"key_ops", {"sign", "verify"}}}));
  EXPECT_FALSE(purpose({{"key_ops", Json::array({"sign"})}}));
  EXPECT_FALSE(purpose({{"key_ops", Json::array()}}));
  EXPECT_FALSE(purpose({{"use", "sig"}, {"key_ops", {"deriveKey", "deriveBits"}}}));
}

TEST(KeySet, TheKeysOwnAlgorithm) {
  EXPECT_TRUE(usable(with(test::kRsaKey, {{"alg", "PS256"}})));
  EXPECT_FALSE(usable(with(test::kRsaKey, {{"alg", "RSA-OAEP"}})));
  EXPECT_FALSE(usable(with(test::kRsaKey, {{"alg", "ES256"}})));
  EXPECT_FALSE(usable(with(test::kRsaKey, {{"alg", "HS256"}})));
  EXPECT_FALSE(usable(with(test::kRsaKey, {{"alg", "none"}})));
  EXPECT_FALSE(usable(with(test::kRsaKey, {{"alg", 1}})));
  EXPECT_FALSE(usable(with(test::kP256Key, {{"alg", "ES384"}})));
  EXPECT_FALSE(usable(with(test::kEd448Key, {{"alg", "Ed25519"}})));
  EXPECT_FALSE(usable(with(test::kRsaKey, {{"kid", 1}})));
}

TEST(KeySet, PrivateKeysAreNotUsed) {
  EXPECT_FALSE(usable(with(test::kRsaKey, {{"d", "AQAB"}})));
  EXPECT_FALSE(usable(with(test::kP256Key, {{"d", "AQAB"}})));
  EXPECT_FALSE(usable(with(test::kEd25519Key, {{"x", nullptr}, {"d", "AQAB"}})));
}

TEST(KeySet, RsaNumbers) {
  EXPECT_FALSE(usable(std::string(test::kRsa1024Key)));
  for (const char* exponent : {"", "AA", "AQ", "Ag", "AQAC", "AQAAAAE", "AQAB=", "*"}) {
    EXPECT_FALSE(usable(with(test::kRsaKey, {{"e", exponent}}))) << exponent;
  }
  EXPECT_TRUE(usable(with(test::kRsaKey, {{"e", "Aw"}})));
  EXPECT_TRUE(usable(with(test::kRsaKey, {{"e", "AAEAAQ"}})));  // a leading zero does no harm

  std::string modulus(2049, '\xff');  // one byte more than 16384 bits
  EXPECT_FALSE(usable(with(test::kRsaKey, {{"n", base64url_encode(modulus)}})));
  modulus.resize(2048);
  EXPECT_TRUE(usable(with(test::kRsaKey, {{"n", base64url_encode(modulus)}})));
  modulus.back() = '\xfe';  // even
  EXPECT_FALSE(usable(with(test::kRsaKey, {{"n", base64url_encode(modulus)}})));
  modulus.assign(255, '\xff');  // 2040 bits
  EXPECT_FALSE(usable(with(test::kRsaKey, {{"n", base64url_encode(modulus)}})));
  EXPECT_FALSE(usable(with(test::kRsaKey, {{"n", base64url_encode(std::string(256, '\0'))}})));
  EXPECT_FALSE(usable(with(test::kRsaKey, {{"n", 5}})));
}

TEST(KeySet, EcPointsAreOnTheirCurveAndInFullLength) {
  EXPECT_FALSE(usable(std::string(test::kOffCurveKey)));
  EXPECT_FALSE(usable(with(test::kP256Key, {{"crv", "P-384"}})));
  EXPECT_FALSE(usable(with(test::kP256Key, {{"crv", "secp256k1"}})));
  EXPECT_FALSE(usable(with(test::kP256Key, {{"crv", nullptr}})));
  EXPECT_FALSE(usable(with(test::kP256Key, {{"y", nullptr}})));
  EXPECT_FALSE(usable(with(test::kP256Key, {{"x", ""}, {"y", ""}})));
  const std::string zero = base64url_encode(std::string(32, '\0'));
  EXPECT_FALSE(usable(with(test::kP256Key, {{"x", zero}, {"y", zero}})));
  const std::string most = base64url_encode(std::string(32, '\xff'));
  EXPECT_FALSE(usable(with(test::kP256Key, {{"x", most}, {"y", most}})));

  const std::string x = *base64url_decode(*json_string(Json::parse(test::kP256Key), "x"));
  EXPECT_FALSE(usable(with(test::kP256Key, {{"x", base64url_encode('\0' + x)}})));
  EXPECT_FALSE(usable(with(test::kP256Key, {{"x", base64url_encode(x.substr(1))}})));
  // The same 64 bytes, divided otherwise.
  const std::string y = *base64url_decode(*json_string(Json::parse(test::kP256Key), "y"));
  EXPECT_FALSE(usable(with(test::kP256Key, {{"x", base64url_encode(x + y.substr(0, 1))},
                                            {"y", base64url_encode(y.substr(1))}})));
}

TEST(KeySet, EdwardsKeys) {
  EXPECT_FALSE(usable(with(test::kEd25519Key, {{"crv", "Ed448"}})));
  EXPECT_FALSE(usable(with(test::kEd25519Key, {{"crv", "X25519"}})));
  EXPECT_FALSE(usable(with(test::kEd25519Key, {{"crv", "ED25519"}})));
  EXPECT_FALSE(usable(with(test::kEd25519Key, {{"x", "AAAA"}})));
  EXPECT_FALSE(usable(with(test::kEd25519Key, {{"x", ""}})));
  EXPECT_FALSE(usable(with(test::kEd25519Key, {{"kty", "EC"}})));
}

TEST(KeySet, RefusedKeysLeaveOpensslsErrorQueueEmpty) {
  ERR_clear_error();
  EXPECT_FALSE(usable(std::string(test::kOffCurveKey)));
  EXPECT_FALSE(usable(with(test::kEd25519Key, {{"x", "AAAA"}})));
  EXPECT_EQ(ERR_peek_error(), 0U);
}

TEST(Jwk, FitsItsAlgorithms) {
  const KeySet set = set_of({std::string(test::kRsaKey), std::string(test::kP521Key),
                             std::string(test::kEd25519Key), std::string(test::kEd448Key),
                             with(test::kRsaKey, {{"alg", "PS384"}}),
                             with(test::kEd25519Key, {{"alg", "EdDSA"}})});
  const auto fitting = [](const Jwk& key) {
    std::string out;
    for (const Alg alg :
         {Alg::RS256, Alg::RS384, Alg::RS512, Alg::PS256, Alg::PS384, Alg::PS512, Alg::ES256,
          Alg::ES384, Alg::ES512, Alg::EdDSA, Alg::Ed25519, Alg::HS256, Alg::HS384, Alg::HS512}) {
      if (key.fits(alg)) out += std::string(to_string(alg)) + " ";
    }
    return out;
  };
  EXPECT_EQ(fitting(set.keys()[0]), "RS256 RS384 RS512 PS256 PS384 PS512 ");
  EXPECT_EQ(fitting(set.keys()[1]), "ES512 ");
  EXPECT_EQ(fitting(set.keys()[2]), "EdDSA Ed25519 ");
  EXPECT_EQ(fitting(set.keys()[3]), "EdDSA ");
  EXPECT_EQ(fitting(set.keys()[4]), "PS384 ");
  EXPECT_EQ(fitting(set.keys()[5]), "EdDSA Ed25519 ");
}

TEST(Candidates, ByKid) {
  const KeySet set =
      set_of({with(test::kRsaKey, {{"kid", "a"}}), with(test::kRsaKey, {{"kid", "b"}}),
              with(test::kRsaKey, {{"kid", nullptr}}), with(test::kP256Key, {{"kid", "a"}})});
  EXPECT_EQ(kids(set.candidates(Alg::RS256, "a")), "[a]");
  EXPECT_EQ(set.candidates(Alg::ES256, "a").size(), 1U);
  EXPECT_EQ(kids(set.candidates(Alg::RS256, "b")), "[b]");
  EXPECT_EQ(kids(set.candidates(Alg::ES256, "b")), "");
  // A kid that no key has: the keys without one.
  EXPECT_EQ(kids(set.candidates(Alg::RS256, "c")), "[]");
  EXPECT_EQ(kids(set.candidates(Alg::ES256, "c")), "");
  // No kid: all that fit.
  EXPECT_EQ(kids(set.candidates(Alg::RS256, "")), "[a][b][]");
  EXPECT_EQ(kids(set.candidates(Alg::HS256, "a")), "");
}

TEST(Candidates, AtMostFour) {
  const std::string key = with(test::kRsaKey, {{"kid", "same"}});
  const KeySet set = set_of({key, key, key, key, key, key});
  EXPECT_EQ(set.candidates(Alg::RS256, "same").size(), 4U);
  EXPECT_EQ(set.candidates(Alg::RS256, "").size(), 4U);
}

}  // namespace
}  // namespace oidc
