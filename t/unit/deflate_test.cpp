#include "oidc/deflate.h"

#include <gtest/gtest.h>

#include <string>

namespace oidc {
namespace {

std::string noise(std::size_t size) {
  std::string out;
  std::uint32_t state = 1;
  while (out.size() < size) {
    state = state * 1664525 + 1013904223;
    out.push_back(static_cast<char>(state >> 24));
  }
  return out;
}

TEST(Deflate, ComesBack) {
  for (const std::string& text : {std::string(), std::string("a"), std::string(100000, 'x'),
                                  noise(1), noise(50000), std::string("/app/page?q=1&q=2&q=3")}) {
    const Result<std::string> inflated = inflate_text(deflate_text(text), text.size());
    ASSERT_TRUE(inflated);
    EXPECT_EQ(*inflated, text);
  }
}

TEST(Deflate, MakesRepetitiveTextSmall) {
  EXPECT_LT(deflate_text(std::string(1000, 'x')).size(), 30U);
}

TEST(Inflate, StopsAtTheLimit) {
  const std::string bomb = deflate_text(std::string(10'000'000, 'x'));
  const Result<std::string> inflated = inflate_text(bomb, 100000);
  ASSERT_FALSE(inflated);
  EXPECT_EQ(inflated.error().code, Errc::too_large);
  EXPECT_TRUE(inflate_text(deflate_text("abcd"), 4));
  EXPECT_FALSE(inflate_text(deflate_text("abcde"), 4));
}

TEST(Inflate, RefusesWhatIsCutShort) {
  const std::string whole = deflate_text(noise(500));
  for (std::size_t size = 0; size < whole.size(); ++size) {
    const Result<std::string> inflated = inflate_text(whole.substr(0, size), 1000);
    ASSERT_FALSE(inflated) << size;
    EXPECT_EQ(inflated.error().code, Errc::malformed);
  }
}

TEST(Inflate, RefusesGarbageAndWhatFollows) {
  EXPECT_FALSE(inflate_text("\xff\xff\xff\xff", 1000));
  EXPECT_FALSE(inflate_text("not deflated", 1000));
  EXPECT_FALSE(inflate_text(deflate_text("text") + "x", 1000));
}

}  // namespace
}  // namespace oidc
