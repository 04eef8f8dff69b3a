#include "oidc/presented_token.h"

#include <gtest/gtest.h>

#include <string>

namespace oidc {
namespace {

CredentialSettings header_only() { return {}; }

struct Shown {
  const char* name;
  const char* value;
  const char* token;  // null: nothing is present
  Errc fault = Errc::none;
};

class HeaderWithToken : public testing::TestWithParam<Shown> {};

TEST_P(HeaderWithToken, IsRead) {
  const CredentialSettings settings = header_only();
  TokenFinder finder(settings);
  finder.look_at_header(GetParam().name, GetParam().value);
  EXPECT_EQ(finder.present(), GetParam().token != nullptr);
  EXPECT_EQ(finder.fault(), GetParam().fault);
  if (GetParam().token != nullptr) {
    EXPECT_EQ(finder.token(), GetParam().token);
  }
}

constexpr Errc kMalformed = Errc::credential_malformed;
INSTANTIATE_TEST_SUITE_P(
    All, HeaderWithToken,
    testing::Values(Shown{"authorization", "Bearer abc", "abc"},
                    Shown{"authorization", "bEARER abc", "abc"},
                    Shown{"authorization", "Bearer    a.b-c_d~e+f/g==", "a.b-c_d~e+f/g=="},
                    Shown{"access-token", "abc", "abc"}, Shown{"x-access-token", "abc", "abc"},
                    Shown{"x-access-token", "Bearer abc", "abc"},
                    Shown{"authorization", "Basic abc", nullptr},
                    Shown{"authorization", "Bearerabc", nullptr},
                    Shown{"authorization", "Bearer: abc", nullptr},
                    Shown{"authorization", "", nullptr}, Shown{"x-token", "abc", nullptr},
                    Shown{"authorization", "Bearer", "", kMalformed},
                    Shown{"authorization", "Bearer ", "", kMalformed},
                    Shown{"authorization", "Bearer\tabc", "", kMalformed},
                    Shown{"authorization", "Bearer a b", "", kMalformed},
                    Shown{"authorization", "Bearer a,b", "", kMalformed},
                    Shown{"authorization", "Bearer a=b", "", kMalformed},
                    Shown{"authorization", "Bearer ==", "", kMalformed},
                    Shown{"authorization", "Bearer \"a\"", "", kMalformed},
                    Shown{"authorization", "Bearer \xc3\xa9", "", kMalformed},
                    Shown{"access-token", "", "", kMalformed},
                    Shown{"authorization", "DPoP abc", "", Errc::access_token_bound},
                    Shown{"authorization", "dpop abc", "", Errc::access_token_bound}));

TEST(PresentedToken, TwoAreAConflict) {
  const CredentialSettings settings = header_only();
  TokenFinder finder(settings);
  finder.look_at_header("authorization", "Bearer abc");
  finder.look_at_header("access-token", "abc");
  EXPECT_EQ(finder.fault(), Errc::credential_conflict);
}

TEST(PresentedToken, ASecondAuthorizationOfAnyKindIsAConflict) {
  const CredentialSettings settings = header_only();
  TokenFinder finder(settings);
  finder.look_at_header("authorization", "Basic YTpi");
  EXPECT_FALSE(finder.present());
  finder.look_at_header("authorization", "Bearer abc");
  EXPECT_EQ(finder.fault(), Errc::credential_conflict);
}

TEST(PresentedToken, AnAuthorizationForSomebodyElseIsNone) {
  const CredentialSettings settings = header_only();
  TokenFinder finder(settings);
  finder.look_at_header("authorization", "Basic YTpi");
  finder.look_at_header("x-access-token", "Bearer abc");
  EXPECT_EQ(finder.fault(), Errc::none);
  EXPECT_EQ(finder.token(), "abc");
}

TEST(PresentedToken, OnlyTheNamedHeader) {
  CredentialSettings settings;
  settings.bearer_header = "x-api";
  TokenFinder finder(settings);
  finder.look_at_header("authorization", "Bearer abc");
  finder.look_at_header("access-token", "abc");
  EXPECT_FALSE(finder.present());
  finder.look_at_header("x-api", "def");
  EXPECT_EQ(finder.token(), "def");
}

TEST(PresentedToken, PlacesThatAreOffAreNotSeen) {
  CredentialSettings settings;
  settings.bearer_cookie = "token";
  TokenFinder finder(settings);
  finder.look_at_cookies("token=abc");
  EXPECT_FALSE(finder.present());
  settings.bearer_places.header = false;
  settings.bearer_places.cookie = true;
  finder.look_at_header("authorization", "Bearer abc");
  EXPECT_FALSE(finder.present());
  finder.look_at_cookies("a=1; token=abc");
  EXPECT_EQ(finder.token(), "abc");
  finder.look_at_cookies("token=def");
  EXPECT_EQ(finder.fault(), Errc::credential_conflict);
}

TEST(PresentedToken, JwtsAreRecognised) {
  EXPECT_TRUE(looks_like_jwt("eyJhbGciOiJSUzI1NiJ9.e30.c2ln"));
  EXPECT_FALSE(looks_like_jwt("opaque"));
  EXPECT_FALSE(looks_like_jwt("a.b.c"));
  EXPECT_FALSE(looks_like_jwt("eyJh.b.c.d.e"));
}

}  // namespace
}  // namespace oidc
