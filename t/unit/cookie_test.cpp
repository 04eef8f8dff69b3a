#include "oidc/cookie.h"

#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

namespace oidc {
namespace {

using namespace std::string_view_literals;
using Pairs = std::vector<std::pair<std::string_view, std::string_view>>;

Pairs read_all(std::string_view header) {
  CookieReader reader(header);
  Pairs out;
  while (const std::optional<CookiePair> pair = reader.next()) {
    out.emplace_back(pair->name, pair->value);
  }
  return out;
}

std::optional<std::string> strip(std::string_view header, std::string_view name) {
  return strip_cookies(header, [name](std::string_view candidate) { return candidate == name; });
}

TEST(CookieReader, Pairs) {
  EXPECT_EQ(read_all("a=1; b=2;c=3"), (Pairs{{"a", "1"}, {"b", "2"}, {"c", "3"}}));
  EXPECT_EQ(read_all("a=1=2==; b="), (Pairs{{"a", "1=2=="}, {"b", ""}}));
  EXPECT_EQ(read_all(" \ta = x y \t;b=2"), (Pairs{{"a", "x y"}, {"b", "2"}}));
}

TEST(CookieReader, QuotesAreRemovedInPairsOnly) {
  EXPECT_EQ(
      read_all(R"(a="x"; b="; c=""; d="x; e=x"; f=""x"")"),
      (Pairs{{"a", "x"}, {"b", "\""}, {"c", ""}, {"d", "\"x"}, {"e", "x\""}, {"f", "\"x\""}}));
}

TEST(CookieReader, QuotesDoNotProtectSemicolons) {
  EXPECT_EQ(read_all(R"(a="x; session=y")"), (Pairs{{"a", "\"x"}, {"session", "y\""}}));
}

TEST(CookieReader, SkipsGarbage) {
  EXPECT_EQ(read_all(""), Pairs{});
  EXPECT_EQ(read_all(";;; ; ="), Pairs{});
  EXPECT_EQ(read_all("bare; =x; a b=1; \x01=2; c=3"), (Pairs{{"c", "3"}}));
  EXPECT_EQ(read_all("\xc3\xa4=1; a=\xc3\xa4"), (Pairs{{"a", "\xc3\xa4"}}));
  EXPECT_EQ(read_all("a\0b=1; c=2"sv), (Pairs{{"c", "2"}}));
}

TEST(CookieReader, SameNameComesAsOftenAsItIsThere) {
  EXPECT_EQ(read_all("s=1; s=2; S=3"), (Pairs{{"s", "1"}, {"s", "2"}, {"S", "3"}}));
}

TEST(StripCookies, NothingToRemove) {
  EXPECT_EQ(strip("a=1; b=2", "s"), std::nullopt);
  EXPECT_EQ(strip("", "s"), std::nullopt);
  EXPECT_EQ(strip("sx=1; xs=2; S=3; x=s=4", "s"), std::nullopt);
}

TEST(StripCookies, RemovesWhereverItIs) {
  EXPECT_EQ(strip("s=1; a=2; b=3", "s"), "a=2; b=3");
  EXPECT_EQ(strip("a=2; s=1; b=3", "s"), "a=2; b=3");
  EXPECT_EQ(strip("a=2; b=3; s=1", "s"), "a=2; b=3");
  EXPECT_EQ(strip("s=0; a=2; s=1; s=; b=3;s=\"x\"", "s"), "a=2; b=3");
  EXPECT_EQ(strip("a=2;s=1;b=3", "s"), "a=2;b=3");
  EXPECT_EQ(strip("a=2; s =1; \ts= 1;b=3", "s"), "a=2;b=3");
}

TEST(StripCookies, NothingLeft) {
  EXPECT_EQ(strip("s=1", "s"), "");
  EXPECT_EQ(strip("s=1;", "s"), "");
  EXPECT_EQ(strip(" s=1; ;s=2 ;; ", "s"), "");
}

TEST(StripCookies, LeavesOtherBytesAlone) {
  EXPECT_EQ(strip("a=\"x y\";  b=\xff; junk; =z;s=1; c", "s"), "a=\"x y\";  b=\xff; junk; =z; c");
}

TEST(SetCookie, Attributes) {
  CookieAttributes attributes{.name = "__Host-session", .domain = "", .secure = true};
  EXPECT_EQ(set_cookie(attributes, "v", std::nullopt),
            "__Host-session=v; Path=/; Secure; HttpOnly; SameSite=Lax");
  EXPECT_EQ(set_cookie(attributes, "v", 60),
            "__Host-session=v; Max-Age=60; Path=/; Secure; HttpOnly; SameSite=Lax");
  EXPECT_EQ(set_cookie(attributes, "", -5),
            "__Host-session=; Max-Age=0; Path=/; Secure; HttpOnly; SameSite=Lax");

  attributes = {.name = "s",
                .path = "/app",
                .domain = "example.com",
                .http_only = false,
                .same_site = SameSite::omitted};
  EXPECT_EQ(set_cookie(attributes, "v", std::nullopt), "s=v; Path=/app; Domain=example.com");
  attributes.same_site = SameSite::none;
  attributes.secure = true;
  EXPECT_EQ(set_cookie(attributes, "v", std::nullopt),
            "s=v; Path=/app; Domain=example.com; Secure; SameSite=None");
  attributes.same_site = SameSite::strict;
  EXPECT_TRUE(set_cookie(attributes, "v", std::nullopt).ends_with("; SameSite=Strict"));
}

TEST(DeleteCookie, HasTheAttributesOfItsCookie) {
  const CookieAttributes attributes{.name = "__Secure-s",
                                    .path = "/app",
                                    .domain = "example.com",
                                    .secure = true,
                                    .same_site = SameSite::none};
  EXPECT_EQ(delete_cookie(attributes),
            "__Secure-s=; Max-Age=0; Expires=Thu, 01 Jan 1970 00:00:00 GMT; Path=/app; "
            "Domain=example.com; Secure; HttpOnly; SameSite=None");
}

TEST(CookieGrammar, Names) {
  for (const std::string_view name : {"session"sv, "__Host-session"sv, "a!#$%&'*+-.^_`|~9"sv}) {
    EXPECT_TRUE(is_cookie_name(name)) << name;
  }
  for (const std::string_view name : {""sv, "a b"sv, "a=b"sv, "a;b"sv, "a,b"sv, "a\"b"sv, "a/b"sv,
                                      "a@b"sv, "a\0"sv, "a\r\n"sv, "\xc3\xa4"sv, "[x]"sv}) {
    EXPECT_FALSE(is_cookie_name(name)) << name;
  }
}

TEST(CookieGrammar, Paths) {
  for (const std::string_view path : {"/"sv, "/a b"sv, "/a=b,c"sv, "/%2f"sv}) {
    EXPECT_TRUE(is_cookie_path(path)) << path;
  }
  for (const std::string_view path :
       {""sv, "a"sv, "/a;b"sv, "/a\r\n"sv, "/\0"sv, "/\x7f"sv, "/\xc3\xa4"sv, " /"sv}) {
    EXPECT_FALSE(is_cookie_path(path)) << path;
  }
}

TEST(CookieGrammar, Domains) {
  for (const std::string_view domain : {"example.com"sv, ".example.com"sv, "a"sv, "a-1.b"sv}) {
    EXPECT_TRUE(is_cookie_domain(domain)) << domain;
  }
  for (const std::string_view domain :
       {""sv, "."sv, "..a"sv, "a."sv, "a..b"sv, "-a.b"sv, "a-.b"sv, "a_b.c"sv, "a b"sv, "a;b"sv,
        "a:80"sv, "*.a"sv, "\xc3\xa4.de"sv}) {
    EXPECT_FALSE(is_cookie_domain(domain)) << domain;
  }
  EXPECT_TRUE(is_cookie_domain(std::string(63, 'a') + ".b"));
  EXPECT_FALSE(is_cookie_domain(std::string(64, 'a') + ".b"));
}

}  // namespace
}  // namespace oidc
