#include <gtest/gtest.h>
#include <openssl/err.h>

#include <string>

#include "jose_vectors.h"
#include "oidc/base64url.h"
#include "oidc/jose.h"

namespace oidc {
namespace {

using namespace std::string_view_literals;

Jwk key(std::string_view json) {
  Result<KeySet> set = KeySet::parse("{\"keys\":[" + std::string(json) + "]}");
  EXPECT_EQ(set->keys().size(), 1U) << json;
  return set->keys().at(0);
}

// Takes the token apart by hand: the payloads of some of the RFCs' examples are not JSON.
Jwt jws(std::string_view compact) {
  const std::size_t first = compact.find('.');
  const std::size_t last = compact.rfind('.');
  const Json header = Json::parse(*base64url_decode(compact.substr(0, first)));
  return Jwt{.alg = *parse_alg(*json_string(header, "alg")),
             .kid = json_string(header, "kid").value_or(""),
             .typ = "",
             .header = header,
             .claims = Json::object(),
             .signing_input = std::string(compact.substr(0, last)),
             .signature = *base64url_decode(compact.substr(last + 1))};
}

Errc outcome(const Result<void>& result) {
  return result ? Errc::none : result.error().code;
}

Errc check(std::string_view compact, std::string_view key_json) {
  return outcome(verify_signature(jws(compact), key(key_json)));
}

struct Example {
  std::string_view token, key;
};

constexpr Example kGood[] = {
    {test::kRfc7515A2Token, test::kRfc7515A2Key},
    {test::kRfc7515A3Token, test::kRfc7515A3Key},
    {test::kRfc7515A4Token, test::kRfc7515A4Key},
    {test::kRfc7520Rs256Token, test::kRfc7520RsaKey},
    {test::kRfc7520Ps384Token, test::kRfc7520RsaKey},
    {test::kRfc7520Es512Token, test::kRfc7520EcKey},
    {test::kRfc8037Token, test::kRfc8037Key},
    {test::kRs256Token, test::kRsaKey},
    {test::kRs384Token, test::kRsaKey},
    {test::kRs512Token, test::kRsaKey},
    {test::kPs256Token, test::kRsaKey},
    {test::kPs384Token, test::kRsaKey},
    {test::kPs512Token, test::kRsaKey},
    {test::kEs256Token, test::kP256Key},
    {test::kEs384Token, test::kP384Key},
    {test::kEs512Token, test::kP521Key},
    {test::kEdDsaToken, test::kEd25519Key},
    {test::kEd25519Token, test::kEd25519Key},
    {test::kEdDsa448Token, test::kEd448Key},
};

TEST(VerifySignature, Good) {
  for (const Example& example : kGood) {
    EXPECT_EQ(check(example.token, example.key), Errc::none) << example.token;
  }
}

TEST(VerifySignature, AnyBitOfTheSignatureCounts) {
  for (const Example& example : kGood) {
    const Jwk the_key = key(example.key);
    Jwt jwt = jws(example.token);
    for (const std::size_t at :
         {std::size_t{0}, jwt.signature.size() / 2, jwt.signature.size() - 1}) {
      Jwt changed = jwt;
      changed.signature[at] = static_cast<char>(changed.signature[at] ^ 1);
      EXPECT_EQ(outcome(verify_signature(changed, the_key)), Errc::jwt_signature) << example.token;
    }
    jwt.signing_input.back() = jwt.signing_input.back() == 'A' ? 'B' : 'A';
    EXPECT_EQ(outcome(verify_signature(jwt, the_key)), Errc::jwt_signature) << example.token;
  }
}

TEST(VerifySignature, OddLengthsAreWrongSignatures) {
  for (const Example& example : kGood) {
    const Jwk the_key = key(example.key);
    const Jwt good = jws(example.token);
    const std::size_t size = good.signature.size();
    for (const std::string& signature :
         {std::string(), std::string(1, '\0'), good.signature.substr(0, size - 1),
          good.signature.substr(1), good.signature + '\0', '\0' + good.signature,
          good.signature + good.signature, std::string(size, '\0'), std::string(size, '\xff'),
          std::string(10000, 'x')}) {
      Jwt changed = good;
      changed.signature = signature;
      EXPECT_EQ(outcome(verify_signature(changed, the_key)), Errc::jwt_signature)
          << example.token << " " << signature.size();
    }
  }
}

TEST(VerifySignature, AnotherKeyOfTheType) {
  EXPECT_EQ(check(test::kRs256Token, test::kOtherRsaKey), Errc::jwt_signature);
  EXPECT_EQ(check(test::kPs256Token, test::kRfc7520RsaKey), Errc::jwt_signature);
  EXPECT_EQ(check(test::kEs256Token, test::kRfc7515A3Key), Errc::jwt_signature);
  EXPECT_EQ(check(test::kEdDsaToken, test::kRfc8037Key), Errc::jwt_signature);
}

TEST(VerifySignature, AKeyThatDoesNotFit) {
  EXPECT_EQ(check(test::kRs256Token, test::kP256Key), Errc::jwt_key_mismatch);
  EXPECT_EQ(check(test::kEs256Token, test::kP384Key), Errc::jwt_key_mismatch);
  EXPECT_EQ(check(test::kEs256Token, test::kRsaKey), Errc::jwt_key_mismatch);
  EXPECT_EQ(check(test::kEdDsaToken, test::kP256Key), Errc::jwt_key_mismatch);
  EXPECT_EQ(check(test::kEd25519On448Token, test::kEd448Key), Errc::jwt_key_mismatch);
  EXPECT_EQ(check(test::kHs256Token, test::kRsaKey), Errc::jwt_key_mismatch);
  Json pinned = Json::parse(test::kRsaKey);
  pinned["alg"] = "PS256";
  EXPECT_EQ(check(test::kRs256Token, pinned.dump()), Errc::jwt_key_mismatch);
  EXPECT_EQ(check(test::kPs256Token, pinned.dump()), Errc::none);
}

TEST(VerifySignature, AnEd448SignatureIsNoEd25519One) {
  Jwt jwt = jws(test::kEdDsa448Token);
  EXPECT_EQ(outcome(verify_signature(jwt, key(test::kEd25519Key))), Errc::jwt_signature);
}

TEST(VerifySignature, PaddingParametersAreFixed) {
  EXPECT_EQ(check(test::kPs256ShortSaltToken, test::kRsaKey), Errc::jwt_signature);
  EXPECT_EQ(check(test::kPs256LongSaltToken, test::kRsaKey), Errc::jwt_signature);
  EXPECT_EQ(check(test::kPs256OtherMgfToken, test::kRsaKey), Errc::jwt_signature);
  EXPECT_EQ(check(test::kPs256AsPkcs1Token, test::kRsaKey), Errc::jwt_signature);
  EXPECT_EQ(check(test::kRs256OtherHashToken, test::kRsaKey), Errc::jwt_signature);
}

TEST(VerifySignature, EcdsaInDerIsRefused) {
  EXPECT_EQ(check(test::kEs256DerToken, test::kP256Key), Errc::jwt_signature);
}

TEST(VerifySignature, EcdsaNumbersOutOfRange) {
  // r and s of 0, and of the group's order (which is 0 modulo it).
  const std::string order(
      "\xff\xff\xff\xff\x00\x00\x00\x00\xff\xff\xff\xff\xff\xff\xff\xff\xbc\xe6\xfa\xad\xa7\x17\x9e"
      "\x84\xf3\xb9\xca\xc2\xfc\x63\x25\x51",
      32);
  const std::string zero(32, '\0');
  Jwt jwt = jws(test::kEs256Token);
  const std::string r = jwt.signature.substr(0, 32);
  const std::string s = jwt.signature.substr(32);
  for (const std::string& signature :
       {zero + zero, r + zero, zero + s, order + order, r + order, order + s}) {
    jwt.signature = signature;
    EXPECT_EQ(outcome(verify_signature(jwt, key(test::kP256Key))), Errc::jwt_signature);
  }
}

TEST(VerifySignature, LeavesOpensslsErrorQueueEmpty) {
  const Example wrong[] = {{test::kRs256Token, test::kOtherRsaKey},
                           {test::kPs256ShortSaltToken, test::kRsaKey},
                           {test::kEs256Token, test::kRfc7515A3Key},
                           {test::kEdDsaToken, test::kRfc8037Key}};
  ERR_clear_error();
  for (const Example& example : wrong) {
    EXPECT_EQ(check(example.token, example.key), Errc::jwt_signature);
    EXPECT_EQ(ERR_peek_error(), 0U) << example.token;
  }
}

Secret secret_of(std::string_view base64url) {
  return Secret(*base64url_decode(base64url));
}

TEST(VerifyHmac, Good) {
  EXPECT_EQ(outcome(verify_hmac(jws(test::kRfc7515A1Token), secret_of(test::kRfc7515A1Key))),
            Errc::none);
  EXPECT_EQ(outcome(verify_hmac(jws(test::kRfc7520Hs256Token), secret_of(test::kRfc7520MacKey))),
            Errc::none);
  for (const std::string_view token : {test::kHs256Token, test::kHs384Token, test::kHs512Token}) {
    EXPECT_EQ(outcome(verify_hmac(jws(token), Secret(test::kHsSecret))), Errc::none);
  }
}

TEST(VerifyHmac, WrongSignatures) {
  const Secret secret(test::kHsSecret);
  for (const std::string_view token : {test::kHs256Token, test::kHs384Token, test::kHs512Token}) {
    const Jwt good = jws(token);
    for (const std::string& signature :
         {std::string(), good.signature.substr(1), good.signature.substr(0, 16),
          good.signature + 'x', std::string(good.signature.size(), '\0')}) {
      Jwt changed = good;
      changed.signature = signature;
      EXPECT_EQ(outcome(verify_hmac(changed, secret)), Errc::jwt_signature);
    }
    EXPECT_EQ(outcome(verify_hmac(good, Secret(std::string(64, 'x')))), Errc::jwt_signature);
  }
}

TEST(VerifyHmac, TheSecretIsAsLongAsTheHash) {
  const struct {
    std::string_view token;
    std::size_t size;
  } cases[] = {{test::kHs256Token, 32}, {test::kHs384Token, 48}, {test::kHs512Token, 64}};
  for (const auto& each : cases) {
    const Jwt jwt = jws(each.token);
    EXPECT_EQ(outcome(verify_hmac(jwt, Secret(std::string(each.size - 1, 'x')))),
              Errc::jwt_key_mismatch);
    EXPECT_EQ(outcome(verify_hmac(jwt, Secret(std::string(each.size, 'x')))), Errc::jwt_signature);
    EXPECT_EQ(outcome(verify_hmac(jwt, Secret())), Errc::jwt_key_mismatch);
  }
}

TEST(VerifyHmac, OtherAlgorithmsAreNone) {
  EXPECT_EQ(outcome(verify_hmac(jws(test::kRs256Token), Secret(test::kHsSecret))),
            Errc::jwt_key_mismatch);
}

TEST(VerifyWithKeySet, FindsTheKey) {
  const Result<KeySet> set = KeySet::parse(
      "{\"keys\":[" + std::string(test::kOtherRsaKey) + "," + std::string(test::kRsaKey) + "," +
      std::string(test::kP256Key) + "," + std::string(test::kEd25519Key) + "]}");
  ASSERT_TRUE(set);
  for (const std::string_view token : {test::kRs256Token, test::kPs512Token, test::kEs256Token,
                                       test::kEdDsaToken, test::kEd25519Token}) {
    const Result<Jwt> jwt = parse_jwt(token);
    ASSERT_TRUE(jwt);
    EXPECT_EQ(outcome(verify_with_key_set(*jwt, *set)), Errc::none) << token;
  }
  EXPECT_EQ(outcome(verify_with_key_set(*parse_jwt(test::kEs384Token), *set)),
            Errc::jwt_key_unknown);
  EXPECT_EQ(outcome(verify_with_key_set(*parse_jwt(test::kHs256Token), *set)),
            Errc::jwt_key_unknown);
}

TEST(VerifyWithKeySet, ThePublicKeyIsNoHmacSecret) {
  const Result<KeySet> set = KeySet::parse("{\"keys\":[" + std::string(test::kRsaKey) + "]}");
  EXPECT_EQ(outcome(verify_with_key_set(*parse_jwt(test::kConfusionToken), *set)),
            Errc::jwt_key_unknown);
}

TEST(VerifyWithKeySet, WithoutKidTriesAllThatFit) {
  // The RFC's token names no key.
  Json other = Json::parse(test::kOtherRsaKey);
  const Result<KeySet> set =
      KeySet::parse("{\"keys\":[" + other.dump() + "," + std::string(test::kRsaKey) + "," +
                    std::string(test::kRfc7515A2Key) + "]}");
  EXPECT_EQ(outcome(verify_with_key_set(*parse_jwt(test::kRfc7515A2Token), *set)), Errc::none);
  const Result<KeySet> wrong = KeySet::parse("{\"keys\":[" + other.dump() + "]}");
  EXPECT_EQ(outcome(verify_with_key_set(*parse_jwt(test::kRfc7515A2Token), *wrong)),
            Errc::jwt_signature);
}

TEST(VerifyWithKeySet, SeveralKeysOfOneKid) {
  Json other = Json::parse(test::kOtherRsaKey);
  other["kid"] = "rsa";
  const Result<KeySet> set =
      KeySet::parse("{\"keys\":[" + other.dump() + "," + std::string(test::kRsaKey) + "]}");
  EXPECT_EQ(outcome(verify_with_key_set(*parse_jwt(test::kRs256Token), *set)), Errc::none);
}

TEST(VerifyWithKeySet, NoKeys) {
  EXPECT_EQ(outcome(verify_with_key_set(*parse_jwt(test::kRs256Token), KeySet())),
            Errc::jwt_key_unknown);
}

}  // namespace
}  // namespace oidc
