// What was encrypted by an unrelated library opens; what is wrong in one place does not.
#include "oidc/jwe.h"

#include <gtest/gtest.h>

#include "jwe_maker.h"
#include "oidc/crypto.h"
#include "result_code.h"

namespace oidc {
namespace {

using namespace test;
using Keys = std::vector<std::shared_ptr<const DecryptionKey>>;

const Keys& all_keys() {
  static const Keys keys = {decryption_key(kJweRsa), decryption_key(kJweP256),
                            decryption_key(kJweP384), decryption_key(kJweP521),
                            decryption_key(kJweX25519)};
  return keys;
}

Result<std::string> open(std::string_view token, const Keys& keys = all_keys()) {
  return decrypt_jwe(token, keys, all_encryption());
}

std::string text_of(std::string_view part) { return base64url_decode(part).value(); }

// The token with another header; its key, where it is agreed upon, depends on none of the rest.
std::string with_header(std::string_view token, const std::string& header) {
  Parts parts = parts_of(token);
  parts[0] = base64url_encode(header);
  return joined(parts);
}

Json header_of(std::string_view token) { return Json::parse(text_of(parts_of(token)[0])); }

std::string flipped(std::string_view token, std::size_t part) {
  Parts parts = parts_of(token);
  std::string bytes = text_of(parts[part]);
  bytes[bytes.size() / 2] = static_cast<char>(bytes[bytes.size() / 2] ^ 1);
  parts[part] = base64url_encode(bytes);
  return joined(parts);
}

std::string cut(std::string_view token, std::size_t part, std::size_t left) {
  Parts parts = parts_of(token);
  parts[part] = base64url_encode(text_of(parts[part]).substr(0, left));
  return joined(parts);
}

const JweVector& vector_of(std::string_view alg, std::string_view enc) {
  for (const JweVector& vector : kJweVectors) {
    if (vector.alg == alg && vector.enc == enc) return vector;
  }
  throw std::logic_error("no such vector");
}

TEST(Jwe, UsesFewKeysForWhoeverSendsIt) {
  const auto key = decryption_key(kJweRsa);
  const Keys keys = {key};
  const std::string token = encrypted("inside", *key, {{"kid", "rsa"}});
  JweUses uses{2};
  EXPECT_EQ(decrypt_jwe(token, keys, all_encryption(), &uses).value(), "inside");
  EXPECT_EQ(decrypt_jwe(token, keys, all_encryption(), &uses).value(), "inside");
  EXPECT_EQ(code_of(decrypt_jwe(token, keys, all_encryption(), &uses)), Errc::jwe_decryption);
  EXPECT_EQ(uses.left, 0U);
  uses.left = 2;
  const std::string strange = encrypted("inside", *key, {{"kid", "unknown"}});
  EXPECT_EQ(code_of(decrypt_jwe(strange, keys, all_encryption(), &uses)), Errc::jwe_decryption);
  EXPECT_EQ(uses.left, 2U) << "no key has that name";
  EXPECT_EQ(open(strange, keys).value(), "inside") << "where the provider itself sends it";
}

TEST(Jwe, OpensEachAlgorithmWithEachContentEncryption) {
  std::size_t combinations = 0;
  for (const JweVector& vector : kJweVectors) {
    const Result<std::string> opened = open(vector.token);
    ASSERT_TRUE(opened) << vector.key << vector.alg << vector.enc;
    EXPECT_EQ(*opened, "inside");
    ++combinations;
  }
  EXPECT_EQ(combinations, 12U + 24U + 12U);
  EXPECT_EQ(open(kJweWithParties).value(), "inside");
}

TEST(Jwe, NothingOpensThatWasChangedInOneBit) {
  for (const JweVector& vector : kJweVectors) {
    for (std::size_t part = 1; part < 5; ++part) {
      if (part == 1 && vector.alg == "ECDH-ES") continue;
      EXPECT_EQ(code_of(open(flipped(vector.token, part))), Errc::jwe_decryption)
          << vector.alg << vector.enc << part;
    }
  }
}

TEST(Jwe, ThePartiesAreInTheKey) {
  Json header = header_of(kJweWithParties);
  header["apv"] = base64url_encode("Eve");
  EXPECT_EQ(code_of(open(with_header(kJweWithParties, header.dump()))), Errc::jwe_decryption);
  header["apv"] = 5;
  EXPECT_EQ(code_of(open(with_header(kJweWithParties, header.dump()))), Errc::jwe_malformed);
  header["apv"] = std::string(513, 'A');
  EXPECT_EQ(code_of(open(with_header(kJweWithParties, header.dump()))), Errc::jwe_malformed);
}

TEST(Jwe, TagsAndNoncesHaveTheirFullLength) {
  for (const char* enc : {"A128GCM", "A256GCM", "A128CBC-HS256", "A256CBC-HS512"}) {
    const std::string_view token = vector_of("RSA-OAEP", enc).token;
    for (const std::size_t left : {0U, 1U, 4U, 8U, 12U, 15U}) {
      EXPECT_EQ(code_of(open(cut(token, 4, left))), Errc::jwe_decryption) << enc << left;
    }
    for (const std::size_t left : {0U, 8U, 11U}) {
      EXPECT_EQ(code_of(open(cut(token, 2, left))), Errc::jwe_decryption) << enc << left;
    }
    EXPECT_EQ(code_of(open(cut(token, 3, 0))), Errc::jwe_decryption) << enc;
  }
}

TEST(Jwe, PartsOfOneTokenDoNotFitAnother) {
  const std::string_view one = vector_of("RSA-OAEP", "A256GCM").token;
  const std::string_view other = vector_of("RSA-OAEP-256", "A256GCM").token;
  for (std::size_t part = 0; part < 5; ++part) {
    Parts parts = parts_of(one);
    parts[part] = parts_of(other)[part];
    EXPECT_EQ(code_of(open(joined(parts))), Errc::jwe_decryption) << part;
  }
  Parts swapped = parts_of(one);
  std::swap(swapped[2], swapped[4]);
  EXPECT_EQ(code_of(open(joined(swapped))), Errc::jwe_decryption);
}

TEST(Jwe, OnlyFiveParts) {
  const std::string token(vector_of("RSA-OAEP", "A256GCM").token);
  for (const std::string& text :
       {std::string(), std::string("...."), token + ".", token + ".x", token.substr(0, 60),
        token.substr(0, token.rfind('.')), "." + token, token + " ", token + "=", "e30." + token,
        std::string(kMaxJwe, 'A') + token}) {
    EXPECT_EQ(code_of(open(text)), Errc::jwe_malformed) << text.substr(0, 40);
  }
}

TEST(Jwe, HeadersThatAreRefused) {
  const std::string_view token = vector_of("RSA-OAEP", "A256GCM").token;
  const auto said = [&token](const std::string& header) {
    return open(with_header(token, header)).error();
  };
  for (const char* alg : {"RSA1_5", "dir", "A128KW", "A256GCMKW", "PBES2-HS256+A128KW", "none",
                          "rsa-oaep", "RSA-OAEP-512", "ECDH-ES+A512KW", ""}) {
    const Error error = said(Json{{"alg", alg}, {"enc", "A256GCM"}, {"p2c", 2147483647}}.dump());
    EXPECT_EQ(error.code, Errc::jwe_not_allowed) << alg;
    EXPECT_EQ(error.detail, *alg ? "alg " + std::string(alg) : "alg that nobody knows");
  }
  EXPECT_EQ(said(R"({"alg":"RSA-OAEP","enc":"A128CBC"})").detail, "enc A128CBC");
  EXPECT_EQ(said(R"({"alg":"x\ny","enc":"A256GCM"})").detail, "alg that nobody knows");
  for (const char* name : {"zip", "crit", "p2c", "p2s"}) {
    const Error error =
        said(Json{{"alg", "RSA-OAEP"}, {"enc", "A256GCM"}, {name, "DEF"}}.dump());
    EXPECT_EQ(error.code, Errc::jwe_not_allowed);
    EXPECT_EQ(error.detail, name);
  }
  for (const char* header :
       {"{}", "[]", "", "null", R"({"alg":"RSA-OAEP"})", R"({"enc":"A256GCM"})",
        R"({"alg":["RSA-OAEP"],"enc":"A256GCM"})", R"({"alg":"RSA-OAEP","enc":"A256GCM","kid":1})",
        R"({"alg":"RSA-OAEP","enc":"A256GCM","enc":"A256GCM"})",
        R"({"alg":"RSA-OAEP","enc":"A256GCM","cty":"text"})",
        R"({"alg":"RSA-OAEP","enc":"A256GCM","cty":7})"}) {
    EXPECT_EQ(said(header).code, Errc::jwe_malformed) << header;
  }
  const std::string deep = std::string(100, '[') + std::string(100, ']');
  EXPECT_EQ(said("{\"alg\":\"RSA-OAEP\",\"enc\":\"A256GCM\",\"x\":" + deep + "}").code,
            Errc::jwe_malformed);
  EXPECT_EQ(said(Json{{"alg", "RSA-OAEP"}, {"enc", "A256GCM"}, {"x", std::string(4096, 'x')}}
                     .dump())
                .code,
            Errc::jwe_malformed);
}

TEST(Jwe, OnlyWhatIsAccepted) {
  JweAccepted some;
  some.add(JweAlg::RSA_OAEP);
  some.add(JweEnc::A256GCM);
  const auto outcome = [&some](std::string_view token) {
    return code_of(decrypt_jwe(token, all_keys(), some));
  };
  EXPECT_EQ(outcome(vector_of("RSA-OAEP", "A256GCM").token), Errc::none);
  EXPECT_EQ(outcome(vector_of("RSA-OAEP-256", "A256GCM").token), Errc::jwe_not_allowed);
  EXPECT_EQ(outcome(vector_of("RSA-OAEP", "A128GCM").token), Errc::jwe_not_allowed);
  EXPECT_EQ(code_of(decrypt_jwe(vector_of("RSA-OAEP", "A256GCM").token, all_keys(), {})),
            Errc::jwe_not_allowed);
}

TEST(Jwe, TheRightKeyIsFoundAmongSeveral) {
  const auto key = decryption_key(kJweRsa);
  Json other = Json::parse(kRfc7516A1Key);
  other["kid"] = "old";
  const Keys keys = {decryption_key(other.dump()), key};
  for (const char* kid : {"rsa", "unknown"}) {
    EXPECT_EQ(open(encrypted("inside", *key, {{"kid", kid}}), keys).value(), "inside") << kid;
  }
  EXPECT_EQ(open(encrypted("inside", *key), keys).value(), "inside");
  EXPECT_EQ(code_of(open(encrypted("inside", *key, {{"kid", "old"}}), keys)),
            Errc::jwe_decryption);
  EXPECT_EQ(code_of(open(encrypted("inside", *key), {})), Errc::jwe_decryption);
  EXPECT_EQ(code_of(open(encrypted("inside", *key), {keys[0]})), Errc::jwe_decryption);
}

TEST(Jwe, NothingAboutWhyItDoesNotOpen) {
  const std::string_view rsa = vector_of("RSA-OAEP", "A128CBC-HS256").token;
  const std::string_view ec = vector_of("ECDH-ES+A128KW", "A128CBC-HS256").token;
  std::vector<std::string> tokens = {cut(rsa, 1, 0), cut(rsa, 1, 255), cut(ec, 1, 0),
                                     cut(ec, 1, 16), cut(ec, 1, 23)};
  for (std::size_t part = 1; part < 5; ++part) {
    tokens.push_back(flipped(rsa, part));
    tokens.push_back(flipped(ec, part));
  }
  for (const std::string& token : tokens) {
    const Error error = open(token).error();
    EXPECT_EQ(error.code, Errc::jwe_decryption);
    EXPECT_EQ(error.detail, "");
  }
}

TEST(Jwe, DirectAgreementHasNoEncryptedKey) {
  Parts parts = parts_of(vector_of("ECDH-ES", "A256GCM").token);
  parts[1] = base64url_encode(std::string(32, 'x'));
  EXPECT_EQ(code_of(open(joined(parts))), Errc::jwe_decryption);
}

}  // namespace
}  // namespace oidc
