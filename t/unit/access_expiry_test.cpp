#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <string>

#include "flow/steps.h"
#include "oidc/base64url.h"

namespace oidc {
namespace {

Seconds end_of(const std::string& access_token, Seconds by_the_answer = 0) {
  TokenResponse tokens;
  tokens.access_token = access_token;
  tokens.access_expires = by_the_answer;
  return access_expiry(tokens);
}

std::string jwt(const Json& claims) {
  return base64url_encode(R"({"alg":"RS256"})") + "." + base64url_encode(claims.dump()) + ".AAAA";
}

TEST(AccessExpiry, TheAnswersWordComesFirst) {
  EXPECT_EQ(end_of(jwt({{"exp", 5000}}), 1000), 1000);
  EXPECT_EQ(end_of("opaque", 1000), 1000);
}

TEST(AccessExpiry, ElseTheTokensOwn) {
  EXPECT_EQ(end_of(jwt({{"exp", 5000}})), 5000);
}

TEST(AccessExpiry, ElseUnknown) {
  EXPECT_EQ(end_of("opaque"), 0);
  EXPECT_EQ(end_of("a.b.c"), 0);
  EXPECT_EQ(end_of(jwt(Json::object())), 0);
  EXPECT_EQ(end_of(jwt({{"exp", "5000"}})), 0);
}

TEST(AccessExpiry, ATokenThatEndedIn1970IsNotOfUnknownLife) {
  EXPECT_EQ(end_of(jwt({{"exp", 0}})), 1);
  EXPECT_EQ(end_of(jwt({{"exp", 0.5}})), 1);
}

}  // namespace
}  // namespace oidc
