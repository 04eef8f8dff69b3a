#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <string>

#include "oidc/json.h"

namespace oidc {
namespace {

using namespace std::string_view_literals;
using Names = std::vector<std::string>;

TEST(ClaimPath, Parses) {
  EXPECT_EQ(ClaimPath::parse("sub")->names(), Names{"sub"});
  EXPECT_EQ(ClaimPath::parse("realm_access.roles")->names(), (Names{"realm_access", "roles"}));
  EXPECT_EQ(ClaimPath::parse(R"(https://a\.test/roles.x)")->names(),
            (Names{"https://a.test/roles", "x"}));
  EXPECT_EQ(ClaimPath::parse(R"(a\\b\.c)")->names(), Names{R"(a\b.c)"});
  EXPECT_EQ(ClaimPath::parse("a b")->names(), Names{"a b"});
}

TEST(ClaimPath, Refuses) {
  for (const std::string_view text :
       {""sv, "."sv, ".a"sv, "a."sv, "a..b"sv, "a\\"sv, "a\\b"sv, "\\"sv, "a.\\"sv}) {
    const Result<ClaimPath> path = ClaimPath::parse(text);
    ASSERT_FALSE(path) << text;
    EXPECT_EQ(path.error().code, Errc::malformed);
  }
}

TEST(ClaimPath, Finds) {
  const Json claims = Json::parse(R"({"a":{"b":{"c":1}},"a.b":2,"l":[{"x":1}],"n":null})");
  const auto found = [&claims](std::string_view text) {
    return ClaimPath::parse(text)->find(claims);
  };
  ASSERT_NE(found("a.b.c"), nullptr);
  EXPECT_EQ(*found("a.b.c"), 1);
  EXPECT_EQ(*found(R"(a\.b)"), 2);
  EXPECT_EQ(*found("a.b"), Json::parse(R"({"c":1})"));
  ASSERT_NE(found("n"), nullptr);
  EXPECT_TRUE(found("n")->is_null());
  for (const std::string_view text : {"x"sv, "a.x"sv, "a.b.c.d"sv, "l.x"sv, "l.0"sv, "n.x"sv}) {
    EXPECT_EQ(found(text), nullptr) << text;
  }
}

TEST(ClaimText, Scalars) {
  EXPECT_EQ(claim_text("a,b\\c"), "a,b\\c");
  EXPECT_EQ(claim_text(5), "5");
  EXPECT_EQ(claim_text(-7), "-7");
  EXPECT_EQ(claim_text(1.5), "1.5");
  EXPECT_EQ(claim_text(true), "true");
  EXPECT_EQ(claim_text(false), "false");
  EXPECT_EQ(claim_text(nullptr), "");
  EXPECT_EQ(claim_text(""), "");
}

TEST(ClaimText, ListsOfScalars) {
  EXPECT_EQ(claim_text(Json::parse(R"(["a","b"])")), "a,b");
  EXPECT_EQ(claim_text(Json::parse(R"(["a,b","c\\d"])")), R"(a\,b,c\\d)");
  EXPECT_EQ(claim_text(Json::parse(R"([1,true,null,"x"])")), "1,true,,x");
  EXPECT_EQ(claim_text(Json::parse("[]")), "");
  EXPECT_EQ(claim_text(Json::parse(R"([""])")), "");
}

TEST(ClaimText, TwoListsAreNeverTheSameText) {
  EXPECT_NE(claim_text(Json::parse(R"(["a,b"])")), claim_text(Json::parse(R"(["a","b"])")));
  EXPECT_NE(claim_text(Json::parse(R"(["a\\","b"])")), claim_text(Json::parse(R"(["a\\,b"])")));
}

TEST(ClaimText, TheRestIsJson) {
  EXPECT_EQ(claim_text(Json::parse(R"({ "a" : [ 1, "\u00e4" ] })")), "{\"a\":[1,\"\xc3\xa4\"]}");
  EXPECT_EQ(claim_text(Json::parse(R"([ ["a"], "b" ])")), R"([["a"],"b"])");
}

TEST(ClaimText, BytesThatAreNotUtf8DoNotThrow) {
  EXPECT_EQ(claim_text(Json(Json::value_t::object)), "{}");
  EXPECT_EQ(claim_text(Json{{"a", "\xff"}}), "{\"a\":\"\xef\xbf\xbd\"}");
}

}  // namespace
}  // namespace oidc
