// The appendices of RFC 7516 and RFC 7518, step by step; and points that are none.
#include <gtest/gtest.h>

#include "hex_text.h"
#include "jose/jwe_parts.h"
#include "jwe_maker.h"
#include "result_code.h"

namespace oidc {
namespace {

using namespace test;

TEST(JweRfc, Rfc7516AppendixA) {
  const std::vector<std::shared_ptr<const DecryptionKey>> keys = {decryption_key(kRfc7516A1Key)};
  EXPECT_EQ(decrypt_jwe(kRfc7516A1Token, keys, all_encryption()).value(),
            "The true sign of intelligence is not knowledge but imagination.");
  for (const std::string_view token : {kRfc7516A2Token, kRfc7516A3Token}) {
    EXPECT_EQ(code_of(decrypt_jwe(token, keys, all_encryption())), Errc::jwe_not_allowed);
  }
}

std::string bytes_from_zero(std::size_t count) {
  std::string bytes;
  for (std::size_t i = 0; i < count; ++i) bytes.push_back(static_cast<char>(i));
  return bytes;
}

TEST(JweRfc, Rfc7518AppendixB) {
  constexpr std::string_view kText =
      "A cipher system must not be required to be secret, and it must be able to fall into the "
      "hands of the enemy without inconvenience";
  JweParts parts;
  parts.protected_header = "The second principle of Auguste Kerckhoffs";
  parts.iv = from_hex("1af38c2dc2b96ffdd86694092341bc04");
  struct Case {
    JweEnc enc;
    std::string_view ciphertext, tag;
  };
  const Case cases[] = {
      {JweEnc::A128CBC_HS256,
       "c80edfa32ddf39d5ef00c0b468834279a2e46a1b8049f792f76bfe54b903a9c9a94ac9b47ad2655c5f10"
       "f9aef71427e2fc6f9b3f399a221489f16362c703233609d45ac69864e3321cf82935ac4096c86e133314"
       "c54019e8ca7980dfa4b9cf1b384c486f3a54c51078158ee5d79de59fbd34d848b3d69550a67646344427"
       "ade54b8851ffb598f7f80074b9473c82e2db",
       "652c3fa36b0a7c5b3219fab3a30bc1c4"},
      {JweEnc::A192CBC_HS384,
       "ea65da6b59e61edb419be62d19712ae5d303eeb50052d0dfd6697f77224c8edb000d279bdc14c1072654"
       "bd30944230c657bed4ca0c9f4a8466f22b226d1746214bf8cfc2400add9f5126e479663fc90b3bed787a"
       "2f0ffcbf3904be2a641d5c2105bfe591bae23b1d7449e532eef60a9ac8bb6c6b01d35d49787bcd57ef48"
       "4927f280adc91ac0c4e79c7b11efc60054e3",
       "8490ac0e58949bfe51875d733f93ac2075168039ccc733d7"},
      {JweEnc::A256CBC_HS512,
       "4affaaadb78c31c5da4b1b590d10ffbd3dd8d5d302423526912da037ecbcc7bd822c301dd67c373bccb5"
       "84ad3e9279c2e6d12a1374b77f077553df829410446b36ebd97066296ae6427ea75c2e0846a11a09ccf5"
       "370dc80bfecbad28c73f09b3a3b75e662a2594410ae496b2e2e6609e31e6e02cc837f053d21f37ff4f51"
       "950bbe2638d09dd7a4930930806d0703b1f6",
       "4dd3b4c088a7f45c216839645b2012bf2e6269a8c56a816dbc1b267761955bc5"},
  };
  for (const Case& each : cases) {
    parts.enc = each.enc;
    parts.ciphertext = from_hex(std::string(each.ciphertext));
    parts.tag = from_hex(std::string(each.tag));
    const Secret key(bytes_from_zero(content_key_size(each.enc)));
    EXPECT_EQ(open_content(parts, key), std::optional<std::string>(kText));
    parts.tag.back() = static_cast<char>(parts.tag.back() ^ 1);
    EXPECT_EQ(open_content(parts, key), std::nullopt);
    parts.tag = from_hex(std::string(each.tag)).substr(0, 8);
    EXPECT_EQ(open_content(parts, key), std::nullopt);
    parts.tag.clear();
    EXPECT_EQ(open_content(parts, key), std::nullopt);
  }
}

// RFC 3394 section 4.1.
TEST(JweRfc, KeyUnwrap) {
  const Secret with(bytes_from_zero(16));
  const std::string wrapped = from_hex("1fa68b0a8112b447aef34bd8fb5a7b829d3e862371d2cfe5");
  const std::optional<Secret> key = unwrap_key(with, wrapped);
  ASSERT_TRUE(key);
  EXPECT_EQ(std::string(key->view()), from_hex("00112233445566778899aabbccddeeff"));
  for (std::size_t size = 0; size < wrapped.size(); ++size) {
    EXPECT_FALSE(unwrap_key(with, std::string_view(wrapped).substr(0, size))) << size;
  }
  EXPECT_FALSE(unwrap_key(with, wrapped + wrapped));
  EXPECT_FALSE(unwrap_key(with, std::string(80, 'x')));
}

constexpr std::string_view kBob =
    R"({"kty":"EC","crv":"P-256","use":"enc","x":"weNJy2HscCSM6AEDTDg04biOvhFhyyWvOHQfeF_PxMQ",
        "y":"e8lnCO-AlStT-NJVX-crhB7QRYhiix03illJOVAOyck",
        "d":"VEmDZpDXXK8p8N0Cndsxs924q6nS1RXFASRl6BfUqdw"})";
const Json kAlice = {{"kty", "EC"},
                     {"crv", "P-256"},
                     {"x", "gI0GAILBdu7T53akrFmMyGcsF3n5dO7MmwNBHKW5SV0"},
                     {"y", "SLW_xSffzlPWrHEVI30DHM_4egVwt3NQqeUD7nMFpps"}};

TEST(JweRfc, Rfc7518AppendixC) {
  const auto bob = decryption_key(kBob);
  const auto agreed = agreed_secret(bob->get(), kAlice);
  ASSERT_TRUE(agreed);
  EXPECT_EQ(std::string(agreed->view()),
            from_hex("9e56d91d817135d372834283bf84269cfb316ea3da806a48f6daa7798cfe90c4"));
  JweParts parts;
  parts.alg = JweAlg::ECDH_ES;
  parts.enc = JweEnc::A128GCM;
  parts.ephemeral = kAlice;
  parts.party_u = "Alice";
  parts.party_v = "Bob";
  const auto key = content_key(parts, *bob);
  ASSERT_TRUE(key);
  EXPECT_EQ(base64url_encode(key->view()), "VqqN6vgjbSBcIijNcacQGg");
}

// The private key of a curve would leak through points of others (invalid-curve attack).
TEST(JweRfc, PointsOfOtherCurvesAndNoPoints) {
  const auto bob = decryption_key(kBob);
  const auto refused = [&bob](const Json& changes) {
    Json point = kAlice;
    point.update(changes);
    return !agreed_secret(bob->get(), point);
  };
  EXPECT_FALSE(refused(Json::object()));
  const std::string other_y(kAlice["x"].get<std::string>());
  const std::string zero = base64url_encode(std::string(32, '\0'));
  const std::string ones = base64url_encode(std::string(32, '\xff'));
  EXPECT_TRUE(refused({{"y", other_y}})) << "off the curve";
  EXPECT_TRUE(refused({{"x", zero}, {"y", zero}})) << "infinity";
  EXPECT_TRUE(refused({{"x", ones}, {"y", ones}})) << "beyond the field";
  EXPECT_TRUE(refused({{"x", ""}, {"y", ""}}));
  EXPECT_TRUE(refused({{"y", nullptr}}));
  EXPECT_TRUE(refused({{"y", base64url_encode(std::string(31, 'x'))}}));
  EXPECT_TRUE(refused({{"y", base64url_encode(std::string(33, 'x'))}}));
  EXPECT_TRUE(refused({{"d", "VEmDZpDXXK8p8N0Cndsxs924q6nS1RXFASRl6BfUqdw"}})) << "a private key";
  EXPECT_TRUE(refused({{"crv", "P-384"}}));
  EXPECT_TRUE(refused({{"crv", "secp256k1"}}));
  EXPECT_TRUE(refused({{"kty", "RSA"}}));
  EXPECT_FALSE(agreed_secret(bob->get(), Json()));
  EXPECT_FALSE(agreed_secret(bob->get(), Json::array({kAlice})));
  EXPECT_FALSE(agreed_secret(bob->get(), Json::parse(kJweP384))) << "a right point elsewhere";
  Json p384 = Json::parse(kJweP384);
  p384.erase("d");
  EXPECT_FALSE(agreed_secret(bob->get(), p384));
  const auto montgomery = decryption_key(kJweX25519);
  EXPECT_FALSE(agreed_secret(montgomery->get(), kAlice));
  // Points of small order: nothing but zeros comes of them.
  for (const char first : {'\0', '\1'}) {
    std::string small(32, '\0');
    small[0] = first;
    const Json point = {{"kty", "OKP"}, {"crv", "X25519"}, {"x", base64url_encode(small)}};
    EXPECT_FALSE(agreed_secret(montgomery->get(), point));
  }
  const Json cut = {{"kty", "OKP"}, {"crv", "X25519"}, {"x", base64url_encode(std::string(31, 'x'))}};
  EXPECT_FALSE(agreed_secret(montgomery->get(), cut));
}

}  // namespace
}  // namespace oidc
