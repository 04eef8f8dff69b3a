#include <gtest/gtest.h>
#include <openssl/err.h>

#include <set>
#include <string>

#include "hex_text.h"
#include "oidc/crypto.h"

namespace oidc {
namespace {

using test::from_hex;
using test::to_hex;

const std::string kKey(32, 'k');

// Cases of McGrew and Viega's GCM submission (13 to 16: 256-bit keys, 96-bit nonces).
TEST(Aead, OpensTheKnownTexts) {
  const std::string key =
      from_hex("feffe9928665731c6d6a8f9467308308feffe9928665731c6d6a8f9467308308");
  const std::string nonce = from_hex("cafebabefacedbaddecaf888");
  const std::string plaintext = from_hex(
      "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a72"
      "1c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b391aafd255");
  const std::string ciphertext = from_hex(
      "522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa"
      "8cb08e48590dbb3da7b08b1056828838c5f61e6393ba7a0abcc9f662898015ad");

  EXPECT_EQ(aead_open(std::string(32, '\0'), "",
                      std::string(12, '\0') + from_hex("530f8afbc74536b9a963b4f1c4cb738b")),
            "");
  EXPECT_EQ(aead_open(std::string(32, '\0'), "",
                      std::string(12, '\0') + from_hex("cea7403d4d606b6e074ec5d3baf39d18"
                                                       "d0d1c8a799996bf0265b98b5d48ab919")),
            std::string(16, '\0'));
  EXPECT_EQ(aead_open(key, "", nonce + ciphertext + from_hex("b094dac5d93471bdec1a502270e3cc6c")),
            plaintext);
  EXPECT_EQ(
      aead_open(key, from_hex("feedfacedeadbeeffeedfacedeadbeefabaddad2"),
                nonce + ciphertext.substr(0, 60) + from_hex("76fc6ece0f4e1768cddf8853bb2d551b")),
      plaintext.substr(0, 60));
}

TEST(Aead, OpensWhatItSealed) {
  for (const std::size_t size : {0U, 1U, 15U, 16U, 17U, 4096U, 100000U}) {
    const std::string plaintext(size, 'p');
    const std::string sealed = aead_seal(kKey, "additional", plaintext);
    EXPECT_EQ(sealed.size(), size + kAeadOverhead);
    EXPECT_EQ(aead_open(kKey, "additional", sealed), plaintext);
  }
  EXPECT_EQ(aead_open(kKey, "", aead_seal(kKey, "", "x")), "x");
}

TEST(Aead, EachSealHasItsOwnNonce) {
  std::set<std::string> nonces;
  for (int i = 0; i < 1000; ++i) {
    EXPECT_TRUE(nonces.insert(aead_seal(kKey, "", "same").substr(0, 12)).second);
  }
}

TEST(Aead, NoBitMayChange) {
  const std::string sealed = aead_seal(kKey, "additional", "plaintext");
  for (std::size_t i = 0; i < sealed.size() * 8; ++i) {
    std::string changed = sealed;
    changed[i / 8] = static_cast<char>(changed[i / 8] ^ (1 << (i % 8)));
    EXPECT_EQ(aead_open(kKey, "additional", changed), std::nullopt) << i;
  }
}

TEST(Aead, WrongKeyOrAdditionalDataDoesNotOpen) {
  const std::string sealed = aead_seal(kKey, "additional", "plaintext");
  EXPECT_EQ(aead_open(std::string(32, 'K'), "additional", sealed), std::nullopt);
  EXPECT_EQ(aead_open(kKey, "additionaL", sealed), std::nullopt);
  EXPECT_EQ(aead_open(kKey, "", sealed), std::nullopt);
  EXPECT_EQ(aead_open(kKey, "additional", sealed), "plaintext");
}

TEST(Aead, ShortInputDoesNotOpen) {
  const std::string sealed = aead_seal(kKey, "", "plaintext");
  for (std::size_t size = 0; size < sealed.size(); ++size) {
    EXPECT_EQ(aead_open(kKey, "", sealed.substr(0, size)), std::nullopt) << size;
  }
  EXPECT_EQ(aead_open(kKey, "", sealed + "x"), std::nullopt);
}

TEST(Aead, AKeyOfAnotherSizeIsNone) {
  const std::string sealed = aead_seal(kKey, "", "plaintext");
  EXPECT_EQ(aead_open(kKey.substr(1), "", sealed), std::nullopt);
  EXPECT_EQ(aead_open("", "", sealed), std::nullopt);
  EXPECT_THROW(static_cast<void>(aead_seal("short", "", "x")), CryptoFailure);
}

TEST(Aead, FailuresLeaveOpensslsErrorQueueEmpty) {
  ERR_clear_error();
  std::string sealed = aead_seal(kKey, "", "plaintext");
  sealed.back() = static_cast<char>(sealed.back() ^ 1);
  EXPECT_EQ(aead_open(kKey, "", sealed), std::nullopt);
  EXPECT_THROW(static_cast<void>(aead_seal("short", "", "x")), CryptoFailure);
  EXPECT_EQ(ERR_peek_error(), 0U);
}

TEST(AeadInto, NeedsRoomAndWritesNoMore) {
  const std::string sealed = aead_seal(kKey, "a", "plaintext");
  std::array<unsigned char, 12> out;
  out.fill(0xaa);
  EXPECT_EQ(aead_open_into(kKey, "a", sealed, std::span(out).first(8)), -1);
  EXPECT_EQ(out[0], 0xaa);
  EXPECT_EQ(aead_open_into(kKey, "a", sealed, out), 9);
  EXPECT_EQ(std::string(out.begin(), out.begin() + 9), "plaintext");
  EXPECT_EQ(out[9], 0xaa);
}

TEST(AeadInto, LeavesNothingOfWhatDidNotAuthenticate) {
  std::string sealed = aead_seal(kKey, "a", "plaintext");
  sealed.back() = static_cast<char>(sealed.back() ^ 1);
  std::array<unsigned char, 9> out;
  out.fill(0xaa);
  EXPECT_EQ(aead_open_into(kKey, "a", sealed, out), -1);
  EXPECT_EQ(to_hex({reinterpret_cast<const char*>(out.data()), out.size()}), "000000000000000000");
}

TEST(AeadInto, WorksAfterFailures) {
  const std::string sealed = aead_seal(kKey, "a", "plaintext");
  std::array<unsigned char, 9> out{};
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(aead_open_into(std::string(32, 'x'), "a", sealed, out), -1);
    EXPECT_EQ(aead_open_into("", "a", sealed, out), -1);
    EXPECT_EQ(aead_open_into(kKey, "a", sealed, out), 9);
  }
}

}  // namespace
}  // namespace oidc
