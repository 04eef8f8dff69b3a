#include <gtest/gtest.h>

#include "oidc/token_endpoint.h"

namespace oidc {
namespace {

TEST(TokenRequest, OfACode) {
  const Form form = code_grant("the code", "https://app.example.org/cb", "verifier");
  EXPECT_EQ(form.get("grant_type"), "authorization_code");
  EXPECT_EQ(form.get("code"), "the code");
  EXPECT_EQ(form.get("redirect_uri"), "https://app.example.org/cb");
  EXPECT_EQ(form.get("code_verifier"), "verifier");
  EXPECT_EQ(form.fields().size(), 4U);
}

TEST(TokenRequest, WithoutPkceThereIsNoVerifier) {
  EXPECT_EQ(code_grant("c", "https://app.example.org/cb", "").count("code_verifier"), 0U);
}

TEST(TokenRequest, OfARefreshToken) {
  const Form form = refresh_grant("r+/=");
  EXPECT_EQ(form.get("grant_type"), "refresh_token");
  EXPECT_EQ(form.get("refresh_token"), "r+/=");
  EXPECT_EQ(form.fields().size(), 2U);
  EXPECT_EQ(form.encode(), "grant_type=refresh_token&refresh_token=r%2B%2F%3D");
}

}  // namespace
}  // namespace oidc
