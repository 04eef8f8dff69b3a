#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdlib>
#include <fstream>

#include "../../src/conf/redirects.h"
#include "../../src/conf/values.h"

namespace oidc {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

constexpr std::int64_t kMax = 1LL << 60;

TEST(ConfTime, ReadsUnitsAsNginxDoes) {
  EXPECT_EQ(*parse_milliseconds("500ms", 0, kMax), 500);
  EXPECT_EQ(*parse_milliseconds("10", 0, kMax), 10000);
  EXPECT_EQ(*parse_milliseconds("10s", 0, kMax), 10000);
  EXPECT_EQ(*parse_milliseconds("2m", 0, kMax), 120000);
  EXPECT_EQ(*parse_milliseconds("1h30m", 0, kMax), 5400000);
  EXPECT_EQ(*parse_milliseconds("1h 30m 5s 7ms", 0, kMax), 5405007);
  EXPECT_EQ(*parse_milliseconds("1d", 0, kMax), 86400000);
  EXPECT_EQ(*parse_milliseconds("1w", 0, kMax), 7LL * 86400000);
  EXPECT_EQ(*parse_milliseconds("1M", 0, kMax), 30LL * 86400000);
  EXPECT_EQ(*parse_milliseconds("1y", 0, kMax), 365LL * 86400000);
  EXPECT_EQ(*parse_milliseconds("1h30", 0, kMax), 3630000);
  EXPECT_EQ(*parse_seconds("0", 0, 10), 0);
}

TEST(ConfTime, RefusesWhatIsNone) {
  for (const char* text :
       {"", "s", "ms", "-1s", "1x", "1S", "1.5s", "10 s", " 10s", "30m1h", "5s5s", "7ms5",
        "99999999999999999999", "9223372036854775807y", "1h30m!"}) {
    EXPECT_FALSE(parse_milliseconds(text, 0, kMax)) << text;
  }
  EXPECT_FALSE(parse_seconds("1500ms", 0, 10));
  EXPECT_EQ(*parse_seconds("2000ms", 0, 10), 2);
}

TEST(ConfTime, KeepsTheBounds) {
  EXPECT_TRUE(parse_seconds("1h", 1, 3600));
  const auto over = parse_seconds("3601", 1, 3600);
  ASSERT_FALSE(over);
  EXPECT_THAT(over.error().detail, HasSubstr("between 1s and 1h"));
  EXPECT_FALSE(parse_seconds("0", 1, 3600));
}

TEST(ConfSize, ReadsAndBounds) {
  EXPECT_EQ(*parse_size("16m", 0, 1ULL << 40), 16777216U);
  EXPECT_EQ(*parse_size("64K", 0, 1ULL << 40), 65536U);
  EXPECT_EQ(*parse_size("1g", 0, 1ULL << 40), 1073741824U);
  EXPECT_EQ(*parse_size("4096", 0, 1ULL << 40), 4096U);
  for (const char* text :
       {"", "m", "-1", "1t", "1mb", "16 m", "99999999999999999999", "18446744073709551615g"}) {
    EXPECT_FALSE(parse_size(text, 0, 1ULL << 40)) << text;
  }
  EXPECT_FALSE(parse_size("1k", 4096, 8192));
  EXPECT_FALSE(parse_size("9k", 4096, 8192));
}

TEST(ConfNumber, ReadsAndBounds) {
  EXPECT_EQ(*parse_number("6379", 1, 65535), 6379U);
  for (const char* text : {"", "0", "65536", "-1", "1.0", "0x10", "12a", " 1"}) {
    EXPECT_FALSE(parse_number(text, 1, 65535)) << text;
  }
}

TEST(ConfFlag, IsOnOrOff) {
  EXPECT_TRUE(*parse_flag("on"));
  EXPECT_FALSE(*parse_flag("off"));
  for (const char* text : {"", "On", "yes", "true", "1"}) EXPECT_FALSE(parse_flag(text)) << text;
}

class ConfSecret : public ::testing::Test {
 protected:
  std::string write(std::string_view content) {
    path_ = ::testing::TempDir() + "oidc_secret_" + std::to_string(::getpid());
    std::ofstream(path_, std::ios::binary) << content;
    return path_;
  }
  ~ConfSecret() override {
    if (!path_.empty()) std::remove(path_.c_str());
  }
  std::string path_;
  BuildFacts facts_{::testing::TempDir(), {}};
};

TEST_F(ConfSecret, TakesALiteral) {
  EXPECT_EQ(parse_secret("s3cret", facts_)->view(), "s3cret");
  EXPECT_FALSE(parse_secret("", facts_));
}

TEST_F(ConfSecret, CutsOneLineEndOfAFile) {
  EXPECT_EQ(parse_secret("file:" + write("s3cret\n"), facts_)->view(), "s3cret");
  EXPECT_EQ(parse_secret("file:" + write("s3cret\r\n"), facts_)->view(), "s3cret");
  EXPECT_EQ(parse_secret("file:" + write("s3cret\n\n"), facts_)->view(), "s3cret\n");
  EXPECT_EQ(parse_secret("file:" + write(std::string_view("a\0b", 3)), facts_)->view(),
            std::string_view("a\0b", 3));
}

TEST_F(ConfSecret, FindsRelativeFilesAtTheConfiguration) {
  const std::string name = write("s3cret").substr(facts_.conf_prefix.size());
  EXPECT_EQ(parse_secret("file:" + name, facts_)->view(), "s3cret");
}

TEST_F(ConfSecret, RefusesFilesWithoutASecret) {
  EXPECT_FALSE(parse_secret("file:" + write(""), facts_));
  EXPECT_FALSE(parse_secret("file:" + write("\n"), facts_));
  EXPECT_FALSE(parse_secret("file:" + write(std::string(70000, 'x')), facts_));
  EXPECT_FALSE(parse_secret("file:/nowhere/at/all", facts_));
  EXPECT_FALSE(parse_secret("file:/", facts_));
}

TEST_F(ConfSecret, ReadsTheEnvironment) {
  ::setenv("OIDC_TEST_SECRET", "from outside", 1);
  EXPECT_EQ(parse_secret("env:OIDC_TEST_SECRET", facts_)->view(), "from outside");
  ::setenv("OIDC_TEST_SECRET", "", 1);
  EXPECT_FALSE(parse_secret("env:OIDC_TEST_SECRET", facts_));
  ::unsetenv("OIDC_TEST_SECRET");
  const auto missing = parse_secret("env:OIDC_TEST_SECRET", facts_);
  ASSERT_FALSE(missing);
  EXPECT_THAT(missing.error().detail, HasSubstr("OIDC_TEST_SECRET"));
}

TEST(ConfRedirect, FindsTheCallbacksPath) {
  EXPECT_EQ(*callback_path("/oidc/callback"), "/oidc/callback");
  EXPECT_EQ(*callback_path("https://app.example.com/cb"), "/cb");
  EXPECT_EQ(*callback_path("https://app.example.com:8443/a/b-c_d.e~f"), "/a/b-c_d.e~f");
  EXPECT_EQ(*callback_path("$scheme://$host:8000/cb"), "/cb");
  EXPECT_EQ(*callback_path("https://${server_name}/cb"), "/cb");
  EXPECT_EQ(*callback_path("$public_origin/cb"), "/cb");
}

TEST(ConfRedirect, RefusesOtherCallbacks) {
  for (const char* text : {"",
                           "/",
                           "callback",
                           "//host/cb",
                           "/a//b",
                           "/a/./b",
                           "/a/../b",
                           "/a/..",
                           "/cb/",
                           "/cb?x=1",
                           "/cb#f",
                           "/c%62",
                           "/a b",
                           "/a\\b",
                           "/$uri",
                           "https://app.example.com",
                           "https://a.b/",
                           "https://a.b/$x",
                           "ftp://a.b/cb",
                           "https://user@a.b/cb",
                           "https:///cb",
                           "https://$http_host/cb",
                           "https://$arg_h/cb",
                           "$cookie_o/cb",
                           "https://a.b/cb\"",
                           "request",
                           "javascript:alert(1)/cb"}) {
    EXPECT_FALSE(callback_path(text)) << text;
  }
}

TEST(ConfRedirect, AllowsTargetsOnAKnownOrigin) {
  for (const char* text :
       {"/", "/bye?x=1", "/a/$server_name", "https://other.example.com/bye", "https://other.example.com",
        "http://localhost:8080/x?y=$request_id", "$scheme://$host/bye", "https://$host:8443/bye",
        "https://$host", "$scheme://${host}/x"}) {
    EXPECT_TRUE(check_redirect_target(text)) << text;
  }
}

TEST(ConfRedirect, RefusesTargetsThatTheClientCouldChoose) {
  for (const char* text :
       {"", "bye", "//evil.example/", "/\\evil.example", "https://$http_host/", "$arg_next",
        "/x?next=$arg_next", "https://a.example/$cookie_x", "https://a.example/?$args",
        "https://a.example$request_uri", "$target", "https://$name/", "https://$host.evil.example/",
        "https://$host:99999/", "https://user@a.example/", "javascript:alert(1)", "/a b",
        "https://${arg_x}/", "ftp://a.example/"}) {
    EXPECT_FALSE(check_redirect_target(text)) << text;
  }
}

TEST(ConfRedirect, NamesLiteralOrigins) {
  EXPECT_EQ(literal_origin("HTTPS://App.Example.com:443/x"), "https://app.example.com");
  EXPECT_EQ(literal_origin("http://a.example:8080/$x"), "http://a.example:8080");
  EXPECT_EQ(literal_origin("https://$host/x"), "");
  EXPECT_EQ(literal_origin("/x?y=https://a.example/"), "");
}

}  // namespace
}  // namespace oidc
