#include "oidc/base64url.h"

#include <gtest/gtest.h>

#include <array>
#include <string>

namespace oidc {
namespace {

using namespace std::string_view_literals;

struct Vector {
  std::string_view bytes, url, standard;
};

// RFC 4648 section 10, and the characters in which the alphabets differ.
constexpr Vector kVectors[] = {
    {"", "", ""},
    {"f", "Zg", "Zg=="},
    {"fo", "Zm8", "Zm8="},
    {"foo", "Zm9v", "Zm9v"},
    {"foob", "Zm9vYg", "Zm9vYg=="},
    {"fooba", "Zm9vYmE", "Zm9vYmE="},
    {"foobar", "Zm9vYmFy", "Zm9vYmFy"},
    {"\xfb\xff\xfe"sv, "-__-", "+//+"},
    {"\0\0\0"sv, "AAAA", "AAAA"},
};

TEST(Base64url, KnownTexts) {
  for (const Vector& vector : kVectors) {
    EXPECT_EQ(base64url_encode(vector.bytes), vector.url);
    EXPECT_EQ(base64_encode(vector.bytes), vector.standard);
    const Result<std::string> decoded = base64url_decode(vector.url);
    ASSERT_TRUE(decoded) << vector.url;
    EXPECT_EQ(*decoded, vector.bytes);
  }
}

TEST(Base64url, EachLengthComesBack) {
  std::string bytes;
  for (int i = 0; i < 300; ++i) {
    const Result<std::string> decoded = base64url_decode(base64url_encode(bytes));
    ASSERT_TRUE(decoded);
    EXPECT_EQ(*decoded, bytes);
    bytes.push_back(static_cast<char>(i * 37));
  }
}

TEST(Base64url, RefusesWhatIsNotStrict) {
  for (const std::string_view text : {
           "Zg=="sv,
           "Zm8="sv,  // padding
           "="sv,
           "Z"sv,  // impossible length
           "A"sv,
           "AAAAA"sv,
           "Zm9vY"sv,  // impossible length
           "+//+"sv,   // the other alphabet
           "Zm 9v"sv,  // white space
           "Zm9v\n"sv,
           " Zm9v"sv,
           "Zm9\0"sv,    // NUL
           "Zm9\xc3"sv,  // not ASCII
           "Zm9v.Zm9v"sv,
       }) {
    const Result<std::string> decoded = base64url_decode(text);
    ASSERT_FALSE(decoded) << text;
    EXPECT_EQ(decoded.error().code, Errc::malformed);
    std::array<unsigned char, 32> out{};
    EXPECT_EQ(base64url_decode_into(text, out), -1) << text;
  }
}

TEST(Base64url, RefusesStrayBits) {
  // Zg is "f"; Zh to Zv differ only in bits that no byte holds.
  for (const char last : "hijklmnopqrstuv"sv) {
    EXPECT_FALSE(base64url_decode(std::string("Z") + last)) << last;
  }
  EXPECT_FALSE(base64url_decode("Zm9"));
  EXPECT_FALSE(base64url_decode("Zm-"));
  EXPECT_TRUE(base64url_decode("Zm8"));
}

TEST(Base64urlInto, WritesNoMoreThanThereIsRoomFor) {
  std::array<unsigned char, 3> out{0xaa, 0xaa, 0xaa};
  EXPECT_EQ(base64url_decode_into("Zm9vYg", out), -1);
  EXPECT_EQ(out[0], 0xaa);
  EXPECT_EQ(base64url_decode_into("Zm8", out), 2);
  EXPECT_EQ(out[0], 'f');
  EXPECT_EQ(out[1], 'o');
  EXPECT_EQ(out[2], 0xaa);
  EXPECT_EQ(base64url_decode_into("Zm9v", out), 3);
  EXPECT_EQ(base64url_decode_into("", {}), 0);
  EXPECT_EQ(base64url_decode_into("Zg", {}), -1);
}

}  // namespace
}  // namespace oidc
