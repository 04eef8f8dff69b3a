// at_hash and c_hash (OpenID Connect Core 3.1.3.6 and 3.3.2.11).
#include <gtest/gtest.h>
#include <openssl/evp.h>

#include <array>
#include <string>

#include "id_token_sample.h"
#include "oidc/base64url.h"
#include "oidc/id_token.h"
#include "result_code.h"

namespace oidc {
namespace {

using test::IdTokenSample;

std::string half_hash(const EVP_MD* hash, std::string_view value) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> bytes{};
  unsigned size = 0;
  EXPECT_EQ(EVP_Digest(value.data(), value.size(), bytes.data(), &size, hash, nullptr), 1);
  return base64url_encode({reinterpret_cast<const char*>(bytes.data()), size / 2});
}

struct Family {
  Alg alg;
  const EVP_MD* (*hash)();
};

constexpr Family kFamilies[] = {
    {Alg::RS256, EVP_sha256}, {Alg::PS256, EVP_sha256},   {Alg::ES256, EVP_sha256},
    {Alg::HS256, EVP_sha256}, {Alg::RS384, EVP_sha384},   {Alg::PS384, EVP_sha384},
    {Alg::ES384, EVP_sha384}, {Alg::HS384, EVP_sha384},   {Alg::RS512, EVP_sha512},
    {Alg::PS512, EVP_sha512}, {Alg::ES512, EVP_sha512},   {Alg::HS512, EVP_sha512},
    {Alg::EdDSA, EVP_sha512}, {Alg::Ed25519, EVP_sha512},
};

IdTokenSample sample_of(Alg alg) {
  IdTokenSample sample;
  sample.jwt.alg = alg;
  sample.expected.access_token = "the access token";
  sample.expected.code = "the code";
  return sample;
}

// The example of OpenID Connect Core appendix A.4: id_token token response.
TEST(IdTokenHash, AccessTokenOfCoreAppendixA) {
  IdTokenSample sample;
  sample.expected.access_token = "jHkWEdUXMU1BwAsC4vtUsZwnNvTIxEl0z9K3vx5KF0Y";
  EXPECT_EQ(sample.check_with("at_hash", "77QmUPtjPfzWtF2AnpK9RQ"), Errc::none);
}

TEST(IdTokenHash, CodeOfCoreAppendixA) {
  IdTokenSample sample;
  sample.expected.code = "Qcb0Orv1zh30vL1MPRsbm-diHiMwcLyZvn1arpZv-Jxf_11jnpEX3Tgfvk";
  EXPECT_EQ(sample.check_with("c_hash", "LDktKdoQak3Pk0cnXxCltA"), Errc::none);
}

TEST(IdTokenHash, EachFamilyHasItsHash) {
  for (const Family& family : kFamilies) {
    const IdTokenSample sample = sample_of(family.alg);
    const std::string right = half_hash(family.hash(), "the access token");
    EXPECT_EQ(sample.check_with("at_hash", right), Errc::none) << to_string(family.alg);
    EXPECT_EQ(sample.check_with("c_hash", half_hash(family.hash(), "the code")), Errc::none)
        << to_string(family.alg);
    for (const auto* other : {EVP_sha256(), EVP_sha384(), EVP_sha512()}) {
      if (other == family.hash()) continue;
      EXPECT_EQ(sample.check_with("at_hash", half_hash(other, "the access token")),
                Errc::id_token_at_hash)
          << to_string(family.alg);
    }
  }
}

TEST(IdTokenHash, OfAnotherTokenOrCode) {
  const IdTokenSample sample = sample_of(Alg::RS256);
  const std::string wrong = half_hash(EVP_sha256(), "another");
  EXPECT_EQ(sample.check_with("at_hash", wrong), Errc::id_token_at_hash);
  EXPECT_EQ(sample.check_with("c_hash", wrong), Errc::id_token_c_hash);
}

TEST(IdTokenHash, MalformedIsWrong) {
  const IdTokenSample sample = sample_of(Alg::RS256);
  const std::string right = half_hash(EVP_sha256(), "the access token");
  for (const Json& value : {Json(""), Json(nullptr), Json(5), Json(right + "="),
                            Json(right.substr(1)), Json::array({right})}) {
    EXPECT_EQ(sample.check_with("at_hash", value), Errc::id_token_at_hash) << value;
  }
}

TEST(IdTokenHash, AbsentIsFineInTheCodeFlow) {
  EXPECT_EQ(sample_of(Alg::RS256).check(), Errc::none);
}

}  // namespace
}  // namespace oidc
