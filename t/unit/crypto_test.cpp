#include "oidc/crypto.h"

#include <gtest/gtest.h>

#include <set>
#include <string>

#include "hex_text.h"

namespace oidc {
namespace {

using namespace std::string_view_literals;
using test::from_hex;
using test::to_hex;

TEST(Random, FillsAndDiffers) {
  std::set<std::string> seen;
  for (int i = 0; i < 1000; ++i) EXPECT_TRUE(seen.insert(random_string(16)).second);
  EXPECT_EQ(random_string(0), "");
  EXPECT_EQ(random_string(5).size(), 5U);
  EXPECT_NE(random_string(64), std::string(64, '\0'));
}

// FIPS 180-4's examples.
TEST(Digest, KnownTexts) {
  EXPECT_EQ(to_hex(as_view(sha256("abc"))),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(to_hex(as_view(sha256(""))),
            "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  EXPECT_EQ(digest(Hash::sha256, "abc"), as_view(sha256("abc")));
  EXPECT_EQ(to_hex(digest(Hash::sha384, "abc")),
            "cb00753f45a35e8bb5a03d699ac65007272c32ab0eded1631a8b605a43ff5bed"
            "8086072ba1e7cc2358baeca134c825a7");
  EXPECT_EQ(to_hex(digest(Hash::sha512, "abc")),
            "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a"
            "2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f");
}

TEST(ConstantTimeEqual, IsEquality) {
  EXPECT_TRUE(constant_time_equal("", ""));
  EXPECT_TRUE(constant_time_equal("a\0b"sv, "a\0b"sv));
  EXPECT_FALSE(constant_time_equal("a\0b"sv, "a\0c"sv));
  EXPECT_FALSE(constant_time_equal("abc", "abcd"));
  EXPECT_FALSE(constant_time_equal("", "a"));
}

// RFC 4231, cases 1, 2, 3, 6, 7.
TEST(HmacKey, KnownTexts) {
  const std::string long_key(131, '\xaa');
  const struct {
    std::string key, message, mac;
  } cases[] = {
      {std::string(20, '\x0b'), "Hi There",
       "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"},
      {"Jefe", "what do ya want for nothing?",
       "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"},
      {std::string(20, '\xaa'), std::string(50, '\xdd'),
       "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe"},
      {long_key, "Test Using Larger Than Block-Size Key - Hash Key First",
       "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54"},
      {long_key,
       "This is a test using a larger than block-size key and a larger than block-size data. The "
       "key needs to be hashed before being used by the HMAC algorithm.",
       "9b09ffa71b942fcb27635fbcd5b0e944bfdc63644f0713938a7f51535c3a35e2"},
  };
  for (const auto& each : cases) {
    const HmacKey key(each.key);
    EXPECT_EQ(to_hex(as_view(key.sign(each.message))), each.mac);
  }
}

TEST(HmacKey, SignsAgainAndAgain) {
  const HmacKey key("Jefe");
  const std::string expected = "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843";
  for (int i = 0; i < 5; ++i) {
    EXPECT_EQ(to_hex(as_view(key.sign("what do ya want for nothing?"))), expected);
    EXPECT_NE(to_hex(as_view(key.sign("something else " + std::to_string(i)))), expected);
  }
}

TEST(HmacKey, PiecesAreOneMessage) {
  const HmacKey key("Jefe");
  const std::string_view pieces[] = {"what do ", "", "ya want", " for nothing?"};
  EXPECT_EQ(key.sign(pieces), key.sign("what do ya want for nothing?"));
  EXPECT_EQ(key.sign(std::span<const std::string_view>()), key.sign(""));
}

TEST(HmacKey, TheEmptyKeyIsAKey) {
  EXPECT_EQ(to_hex(as_view(HmacKey("").sign(""))),
            "b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad");
  EXPECT_EQ(HmacKey(std::string_view()).sign(""), HmacKey("").sign(""));
}

TEST(HmacKey, KeysDoNotDisturbEachOther) {
  HmacKey one("one");
  const HmacKey two("two");
  const Sha256 before = one.sign("x");
  EXPECT_NE(two.sign("x"), before);
  const HmacKey moved = std::move(one);
  EXPECT_EQ(moved.sign("x"), before);
}

// RFC 5869 A.1 to A.3.
TEST(Hkdf, KnownTexts) {
  std::string counting;
  for (int i = 0; i < 256; ++i) counting.push_back(static_cast<char>(i));
  const struct {
    std::string key_material, salt, info, prk, okm;
  } cases[] = {
      {std::string(22, '\x0b'), counting.substr(0, 13), from_hex("f0f1f2f3f4f5f6f7f8f9"),
       "077709362c2e32df0ddc3f0dc47bba6390b6c73bb50f9c3122ec844ad7c2b3e5",
       "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865"},
      {counting.substr(0, 80), counting.substr(0x60, 80), counting.substr(0xb0, 80),
       "06a6b88c5853361a06104c9ceb35b45cef760014904671014a193f40c15fc244",
       "b11e398dc80327a1c8e7f78c596a49344f012eda2d4efad8a050cc4c19afa97c59045a99cac7827271cb41c65e"
       "590e09da3275600c2f09b8367793a9aca3db71cc30c58179ec3e87c14c01d5c1f3434f1d87"},
      {std::string(22, '\x0b'), "", "",
       "19ef24a32c717b167f33a91d6f648bdf96596776afdb6377ac434c1c293ccb04",
       "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d9d201395faa4b61a96c8"},
  };
  for (const auto& each : cases) {
    const Secret prk = hkdf_extract(each.salt, each.key_material);
    EXPECT_EQ(to_hex(prk.view()), each.prk);
    const Secret okm = hkdf_expand(prk.view(), each.info, each.okm.size() / 2);
    EXPECT_EQ(to_hex(okm.view()), each.okm);
  }
}

TEST(Hkdf, Sizes) {
  const std::string prk(32, 'p');
  EXPECT_TRUE(hkdf_expand(prk, "info", 0).empty());
  const Secret most = hkdf_expand(prk, "info", 255 * 32);
  EXPECT_EQ(most.size(), 255U * 32);
  for (const std::size_t size : {1U, 31U, 32U, 33U, 64U}) {
    EXPECT_EQ(hkdf_expand(prk, "info", size).view(), most.view().substr(0, size));
  }
  EXPECT_THROW(static_cast<void>(hkdf_expand(prk, "info", 255 * 32 + 1)), CryptoFailure);
}

TEST(Hkdf, InfoSeparatesKeys) {
  const std::string prk(32, 'p');
  EXPECT_FALSE(hkdf_expand(prk, "cookie", 32).equals(hkdf_expand(prk, "record", 32).view()));
}

TEST(AppendField, ListsWithTheSameTextDiffer) {
  const auto joined = [](std::initializer_list<std::string_view> fields) {
    std::string out;
    for (const std::string_view field : fields) append_field(out, field);
    return out;
  };
  EXPECT_EQ(joined({"ab", ""}), "\0\0\0\2ab\0\0\0\0"sv);
  EXPECT_NE(joined({"ab", "c"}), joined({"a", "bc"}));
  EXPECT_NE(joined({"a", ""}), joined({"a"}));
  EXPECT_EQ(joined({std::string(0x10203, 'x')}).substr(0, 4), "\x00\x01\x02\x03"sv);
}

}  // namespace
}  // namespace oidc
