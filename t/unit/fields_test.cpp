#include "oidc/fields.h"

#include <gtest/gtest.h>

#include <limits>
#include <string>

namespace oidc {
namespace {

using namespace std::string_view_literals;

TEST(Fields, AreBigEndianWithLengths) {
  FieldWriter out;
  out.u8(1).u32(0x01020304).u64(0x0102030405060708).i64(-1).text("ab").text("");
  EXPECT_EQ(out.bytes(),
            "\x01"
            "\x01\x02\x03\x04"
            "\x01\x02\x03\x04\x05\x06\x07\x08"
            "\xff\xff\xff\xff\xff\xff\xff\xff"
            "\0\0\0\x02"
            "ab"
            "\0\0\0\0"sv);
}

TEST(Fields, ComeBackAsTheyWere) {
  FieldWriter out;
  out.u8(255).u32(0xffffffff).u64(~std::uint64_t{0});
  out.i64(std::numeric_limits<std::int64_t>::min()).text("a\0b"sv).text("");
  const std::string bytes = out.take();
  FieldReader in(bytes);
  EXPECT_EQ(in.u8(), 255);
  EXPECT_EQ(in.u32(), 0xffffffffU);
  EXPECT_EQ(in.u64(), ~std::uint64_t{0});
  EXPECT_EQ(in.i64(), std::numeric_limits<std::int64_t>::min());
  EXPECT_EQ(in.text(), "a\0b"sv);
  EXPECT_FALSE(in.complete());
  EXPECT_EQ(in.text(), "");
  EXPECT_TRUE(in.complete());
}

TEST(Fields, CutShortAtAnyLengthAreNotComplete) {
  FieldWriter out;
  out.u8(1).u32(2).i64(3).text("four").u64(5);
  const std::string bytes = out.take();
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    FieldReader in(std::string_view(bytes).substr(0, size));
    in.u8();
    in.u32();
    in.i64();
    in.text();
    in.u64();
    EXPECT_FALSE(in.complete()) << size;
    EXPECT_TRUE(in.failed()) << size;
  }
}

TEST(Fields, TrailingBytesAreNotComplete) {
  FieldReader in("\x01\x02"sv);
  in.u8();
  EXPECT_FALSE(in.failed());
  EXPECT_FALSE(in.complete());
}

TEST(Fields, ALengthBeyondTheBytesReadsNothing) {
  FieldReader in(
      "\xff\xff\xff\xff"
      "abc"sv);
  EXPECT_EQ(in.text(), "");
  EXPECT_TRUE(in.failed());
}

TEST(Fields, AfterAFailureNothingIsReadAnyMore) {
  FieldReader in("\x05\x06"sv);
  EXPECT_EQ(in.u32(), 0U);
  EXPECT_EQ(in.u8(), 0);
  EXPECT_EQ(in.raw(0), "");
  EXPECT_TRUE(in.failed());
  EXPECT_FALSE(in.complete());
}

TEST(Fields, RawTakesExactlyThatMany) {
  FieldReader in("abcd"sv);
  EXPECT_EQ(in.raw(3), "abc");
  EXPECT_EQ(in.raw(1), "d");
  EXPECT_TRUE(in.complete());
}

}  // namespace
}  // namespace oidc
