#include "oidc/stored_token.h"

#include <gtest/gtest.h>

#include <random>

#include "oidc/base64url.h"

namespace oidc {
namespace {

std::string jwt(std::string_view header, std::string_view payload, std::string_view signature) {
  return base64url_encode(header) + "." + base64url_encode(payload) + "." +
         base64url_encode(signature);
}

std::string through(std::string_view token) {
  const std::string bytes = StoredToken(token).kept();
  const auto kept = StoredToken::from_kept(bytes);
  EXPECT_TRUE(kept);
  EXPECT_EQ(kept->kept(), bytes);  // a record that is written again keeps it
  EXPECT_EQ(kept->empty(), token.empty());
  return kept ? kept->text() : "";
}

TEST(StoredToken, EveryTokenComesBackToTheLastByte) {
  const std::string real = jwt("{\"alg\":\"RS256\"}", "{\"sub\":\"alice\"}", std::string(256, 's'));
  for (const std::string& token :
       {std::string(), std::string("opaque"), std::string("a.b"), std::string("a.b.c"),
        std::string("a.b.c.d.e"), std::string("..") , std::string("eyJh.eyJz.c2ln"), real,
        real + "=", real + ".", "." + real, std::string("YQ.YR.YQ"), std::string("\0\1.\2.\3", 7)}) {
    EXPECT_EQ(through(token), token);
  }
}

TEST(StoredToken, AJwtTakesAQuarterLess) {
  const std::string token = jwt(std::string(90, 'h'), std::string(900, 'p'), std::string(256, 's'));
  EXPECT_LT(StoredToken(token).kept().size(), token.size() * 77 / 100);
}

TEST(StoredToken, ThePayloadIsThere) {
  const std::string token = jwt("{}", "{\"sub\":\"alice\"}", "s");
  const std::string bytes = StoredToken(token).kept();
  EXPECT_EQ(StoredToken(token).payload(), "{\"sub\":\"alice\"}");
  EXPECT_EQ(StoredToken::from_kept(bytes)->payload(), "{\"sub\":\"alice\"}");
  for (const std::string_view opaque : {"", "opaque", "a.b", "a.!.c", "a.b.c.d"}) {
    const std::string kept = StoredToken(opaque).kept();
    EXPECT_FALSE(StoredToken(opaque).payload()) << opaque;
    EXPECT_FALSE(StoredToken::from_kept(kept)->payload()) << opaque;
  }
}

TEST(StoredToken, BytesThatNobodyKeptAreRefused) {
  const std::string bytes = StoredToken(jwt("{}", "{}", "s")).kept();
  for (std::size_t size = 1; size < bytes.size(); ++size) {
    EXPECT_FALSE(StoredToken::from_kept(bytes.substr(0, size))) << size;
  }
  EXPECT_FALSE(StoredToken::from_kept(bytes + "x"));
  EXPECT_FALSE(StoredToken::from_kept("\2abc"));
  std::mt19937 random(1);
  for (int i = 0; i < 2000; ++i) {
    std::string broken = bytes;
    broken[random() % broken.size()] ^= static_cast<char>(1U << random() % 8);
    const auto token = StoredToken::from_kept(broken);
    if (token) {
      EXPECT_LE(token->text().size(), 2 * broken.size());
    }
  }
}

}  // namespace
}  // namespace oidc
