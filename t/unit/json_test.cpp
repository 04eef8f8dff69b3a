#include "oidc/json.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <string>

namespace oidc {
namespace {

using namespace std::string_view_literals;

std::string repeat(std::string_view piece, int times) {
  std::string out;
  for (int i = 0; i < times; ++i) out += piece;
  return out;
}

TEST(ParseJson, ValuesOfAllKinds) {
  const Result<Json> value = parse_json(
      R"( {"s":"a\u00e4\"\n","i":-5,"u":18446744073709551615,"f":1.5e3,"t":true,"n":null,
          "a":[1,[],{}],"o":{"x":{"y":[false]}}} )");
  ASSERT_TRUE(value);
  EXPECT_EQ((*value)["s"], "a\xc3\xa4\"\n");
  EXPECT_EQ((*value)["i"], -5);
  EXPECT_EQ((*value)["u"].get<std::uint64_t>(), UINT64_MAX);
  EXPECT_EQ((*value)["f"], 1500.0);
  EXPECT_EQ((*value)["t"], true);
  EXPECT_TRUE((*value)["n"].is_null());
  EXPECT_EQ((*value)["a"], Json::parse("[1,[],{}]"));
  EXPECT_EQ((*value)["o"]["x"]["y"][0], false);
  EXPECT_EQ(value->size(), 8U);
}

TEST(ParseJson, IsWhatTheLibraryMakesOfIt) {
  for (const std::string_view text :
       {"1"sv, "\"x\""sv, "[]"sv, "{}"sv, "[[[[]]],[{}]]"sv, R"([{"a":[1,{"b":2}],"c":{}},3])"sv,
        R"({"a":{"a":{"a":1}},"b":[{"a":1},{"a":2}]})"sv}) {
    const Result<Json> value = parse_json(text);
    ASSERT_TRUE(value) << text;
    EXPECT_EQ(*value, Json::parse(text)) << text;
  }
}

TEST(ParseJson, RefusesWhatIsMalformed) {
  for (const std::string_view text : {
           ""sv,
           " "sv,
           "{"sv,
           "}"sv,
           "[1,]"sv,
           "{\"a\":1,}"sv,
           "{a:1}"sv,
           "{'a':1}"sv,
           "nul"sv,
           "{\"a\" 1}"sv,
           "[1 2]"sv,
           "01"sv,
           "+1"sv,
           ".5"sv,
           "1."sv,
           "NaN"sv,
           "Infinity"sv,
           "1e999"sv,
           "-1e999"sv,
           "[1e400]"sv,
           "{} {}"sv,
           "{}x"sv,
           "{}\0"sv,
           "{}\0garbage"sv,
           "\0{}"sv,
           "[\"\0\"]"sv,
           "\"\x01\""sv,
           "\"a\nb\""sv,
           "\"\\x41\""sv,
           "\"\\ud800\""sv,
           "\"\\udc00\\ud800\""sv,
           "\"\xff\""sv,
           "\"\xc3\""sv,
           "\"\xc0\xaf\""sv,
           "\"\xed\xa0\x80\""sv,
           "\"\xf4\x90\x80\x80\""sv,
           "// c\n1"sv,
           "/* c */ 1"sv,
           "\"a"sv,
       }) {
    const Result<Json> value = parse_json(text);
    ASSERT_FALSE(value) << text;
    EXPECT_EQ(value.error().code, Errc::malformed) << text;
  }
}

TEST(ParseJson, RefusesDuplicateMembers) {
  for (const std::string_view text :
       {R"({"iss":"a","iss":"b"})"sv, R"({"iss":"a","iss":"a"})"sv, R"({"a":1,"b":{},"a":{}})"sv,
        R"([{"x":{"a":[],"a":[]}}])"sv, R"({"iss":1,"\u0069ss":2})"sv, R"({"":1,"":2})"sv}) {
    const Result<Json> value = parse_json(text);
    ASSERT_FALSE(value) << text;
    EXPECT_EQ(value.error().code, Errc::malformed);
    EXPECT_EQ(value.error().detail, "JSON: duplicate member");
  }
  EXPECT_TRUE(parse_json(R"([{"a":1},{"a":2},{"b":{"a":1},"a":3}])"));
}

TEST(ParseJson, ErrorsDoNotQuoteTheInput) {
  const Result<Json> value = parse_json(R"({"refresh_token":"canary" "x"})");
  ASSERT_FALSE(value);
  EXPECT_EQ(value.error().detail.find("canary"), std::string::npos);
}

TEST(ParseJson, Depth) {
  const JsonLimits limits{.max_depth = 16};
  EXPECT_TRUE(parse_json(repeat("[", 16) + repeat("]", 16), limits));
  const Result<Json> value = parse_json(repeat("[", 17) + repeat("]", 17), limits);
  ASSERT_FALSE(value);
  EXPECT_EQ(value.error().code, Errc::too_large);
  EXPECT_FALSE(parse_json(repeat(R"({"a":)", 17) + "1" + repeat("}", 17), limits));
  EXPECT_FALSE(parse_json(repeat("[", 500000), limits));
  EXPECT_TRUE(parse_json("[" + repeat("[[]],", 100) + "[[]]]", JsonLimits{.max_depth = 3}));
}

TEST(ParseJson, Values) {
  const JsonLimits limits{.max_values = 4};
  EXPECT_TRUE(parse_json("[1,2,3]", limits));
  for (const std::string_view text : {"[1,2,3,4]"sv, R"({"a":1,"b":[1,2]})"sv, "[[],[],[],[]]"sv}) {
    const Result<Json> value = parse_json(text, limits);
    ASSERT_FALSE(value) << text;
    EXPECT_EQ(value.error().code, Errc::too_large);
  }
}

TEST(ParseJson, Bytes) {
  const JsonLimits limits{.max_bytes = 5};
  EXPECT_TRUE(parse_json("[1,2]", limits));
  const Result<Json> value = parse_json("[1,2] ", limits);
  ASSERT_FALSE(value);
  EXPECT_EQ(value.error().code, Errc::too_large);
}

TEST(ParseJsonObject, OnlyObjects) {
  EXPECT_TRUE(parse_json_object("{}"));
  for (const std::string_view text : {"[]"sv, "null"sv, "\"{}\""sv, "1"sv}) {
    const Result<Json> value = parse_json_object(text);
    ASSERT_FALSE(value) << text;
    EXPECT_EQ(value.error().code, Errc::malformed);
  }
}

TEST(JsonMembers, AbsentAndOfAnotherTypeAreTheSame) {
  const Json object = Json::parse(
      R"({"s":"x","b":true,"n":null,"i":1,"l":["a","b"],"m":["a",1],"e":[],"o":{"s":"y"}})");
  EXPECT_EQ(json_string(object, "s"), "x");
  EXPECT_EQ(json_bool(object, "b"), true);
  for (const std::string_view name : {"b"sv, "n"sv, "i"sv, "l"sv, "o"sv, "absent"sv, ""sv}) {
    EXPECT_EQ(json_string(object, name), std::nullopt) << name;
  }
  for (const std::string_view name : {"s"sv, "n"sv, "i"sv, "absent"sv}) {
    EXPECT_EQ(json_bool(object, name), std::nullopt) << name;
  }
  EXPECT_EQ(json_strings(object, "s"), std::vector<std::string>{"x"});
  EXPECT_EQ(json_strings(object, "l"), (std::vector<std::string>{"a", "b"}));
  EXPECT_EQ(json_strings(object, "e"), std::vector<std::string>{});
  for (const std::string_view name : {"m"sv, "i"sv, "o"sv, "n"sv, "absent"sv}) {
    EXPECT_EQ(json_strings(object, name), std::nullopt) << name;
  }
}

TEST(JsonMembers, OfWhatIsNoObject) {
  for (const Json& value : {Json(), Json("s"), Json::array({"s"})}) {
    EXPECT_EQ(json_string(value, "s"), std::nullopt);
    EXPECT_EQ(json_bool(value, "s"), std::nullopt);
    EXPECT_EQ(json_strings(value, "s"), std::nullopt);
  }
}

}  // namespace
}  // namespace oidc
