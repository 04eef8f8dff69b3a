#include "oidc/pattern.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <string>
#include <vector>

namespace oidc {
namespace {

struct Case {
  const char* expression;
  std::vector<std::string> yes, no;
};

class Patterns : public testing::TestWithParam<Case> {};

TEST_P(Patterns, MatchWholeTexts) {
  const Result<Pattern> pattern = Pattern::compile(GetParam().expression);
  ASSERT_TRUE(pattern) << GetParam().expression << ": " << pattern.error().detail;
  for (const std::string& text : GetParam().yes) {
    EXPECT_TRUE(pattern->matches(text)) << GetParam().expression << " <- \"" << text << '"';
  }
  for (const std::string& text : GetParam().no) {
    EXPECT_FALSE(pattern->matches(text)) << GetParam().expression << " <- \"" << text << '"';
  }
}

const Case kCases[] = {
    {"admin", {"admin"}, {"", "administrator", "xadmin", "Admin", "admi", "admin\n"}},
    {"^admin$", {"admin"}, {"administrator", "^admin$"}},
    {"^$", {""}, {"a"}},
    {".", {"a", "\xc3\xa4", "\xe2\x82\xac", "\xf0\x9f\x98\x80", "\n"}, {"", "ab", "\xc3"}},
    {".*@example\\.com", {"a@example.com", "@example.com"}, {"a@example.com.evil", "a@exampleXcom"}},
    {"a|bc|d*", {"a", "bc", "", "dd"}, {"ab", "c", "ad"}},
    {"a|", {"a", ""}, {"b"}},
    {"(a|b)+c?", {"a", "abba", "bac"}, {"", "c", "acc"}},
    {"(?:ab){2}", {"abab"}, {"ab", "ababab"}},
    {"(?:ab){2,}", {"abab", "abababab"}, {"ab", "aba"}},
    {"x{0}y", {"y"}, {"xy"}},
    {"x{0,2}y{1,2}", {"y", "xxyy", "xy"}, {"xxxy", "xx", "xyyy"}},
    {"(x?){3}", {"", "x", "xxx"}, {"xxxx"}},
    {"(a*)*b", {"b", "aaab"}, {"a", ""}},
    {"(){3}a", {"a"}, {""}},
    {"[a-cx]+", {"abcx"}, {"d", "abd", "-"}},
    {"[^a-c]", {"d", "\xc3\xa4", "\n"}, {"a", "dd"}},
    {"[a-]+", {"a-a"}, {"b"}},
    {"[-a]+", {"-a"}, {"b"}},
    {"[\\d_]+", {"12_3"}, {"a"}},
    {"[\\w.-]+", {"a.b-C_9"}, {"a b", "\xc3\xa4"}},
    {"[\\]\\[\\^]+", {"][^"}, {"a"}},
    {"[\xc3\xa0-\xc3\xa9]", {"\xc3\xa4"}, {"a", "\xc3\xaf"}},
    {"\\d{3}", {"123"}, {"12", "1234", "12a"}},
    {"\\D\\W\\S", {"a-b"}, {"1-b", "aab", "a- "}},
    {"\\s+", {" \t\n"}, {"a", ""}},
    {"a\\.b\\*c\\\\", {"a.b*c\\"}, {"axb*c\\"}},
    {"a\\$", {"a$"}, {"a"}},
    {"a\\{1\\}", {"a{1}"}, {"a"}},
};
INSTANTIATE_TEST_SUITE_P(Table, Patterns, testing::ValuesIn(kCases));

struct Refused {
  const char* expression;
  const char* why;
};
class RefusedPatterns : public testing::TestWithParam<Refused> {};

TEST_P(RefusedPatterns, SayWhy) {
  const Result<Pattern> pattern = Pattern::compile(GetParam().expression);
  ASSERT_FALSE(pattern) << GetParam().expression;
  EXPECT_EQ(pattern.error().code, Errc::malformed);
  EXPECT_THAT(pattern.error().detail, testing::HasSubstr(GetParam().why));
}

constexpr Refused kRefused[] = {
    {"", "empty"},
    {"^a", "go together"},
    {"a$", "go together"},
    {"^", "go together"},
    {"$", "go together"},
    {"^a\\$", "go together"},
    {"a^b", "both ends"},
    {"(^a)", "both ends"},
    {"(a", "a ) is missing"},
    {"a)", "without a ("},
    {"(?=a)", "only (?:"},
    {"(?i)a", "only (?:"},
    {"(a)\\1", "\\1 is not understood"},
    {"\\ba", "\\b is not understood"},
    {"a\\", "a \\ at its end"},
    {"*a", "nothing to repeat"},
    {"a|*", "nothing to repeat"},
    {"{2}", "nothing to repeat"},
    {"a*?", "follow each other"},
    {"a++", "follow each other"},
    {"a{2}{3}", "follow each other"},
    {"a{", "a repetition"},
    {"a{x}", "a repetition"},
    {"a{2,1}", "a repetition"},
    {"a{256}", "a repetition"},
    {"a{,2}", "a repetition"},
    {"a{99999999999999999999}", "a repetition"},
    {"[a", "a ] is missing"},
    {"[", "nothing inside"},
    {"[]", "nothing inside"},
    {"[b-a]", "upside down"},
    {"[a-\\d]", "upside down"},
    {"[[:alpha:]]", "written \\["},
    {"[\\D]", "cannot stand"},
    {"\xff", "UTF-8"},
    {"[\xc3]", "UTF-8"},
    {"(a{255}){255}", "too large"},
    {"((((a{9}){9}){9}){9}){9}", "too large"},
};
INSTANTIATE_TEST_SUITE_P(Table, RefusedPatterns, testing::ValuesIn(kRefused));

TEST(Pattern, GroupsAreNestedSoFarOnly) {
  const auto nested = [](std::size_t depth) {
    return std::string(depth, '(').append("a").append(depth, ')');
  };
  EXPECT_TRUE(Pattern::compile(nested(50)));
  EXPECT_FALSE(Pattern::compile(nested(60)));
  EXPECT_FALSE(Pattern::compile(nested(1'000'000)));
}

TEST(Pattern, WhatIsTooLongDoesNotMatch) {
  const Result<Pattern> pattern = Pattern::compile("a*");
  EXPECT_TRUE(pattern->matches(std::string(Pattern::kMaxText, 'a')));
  EXPECT_FALSE(pattern->matches(std::string(Pattern::kMaxText + 1, 'a')));
}

// With an engine that goes back these would take longer than the universe has.
TEST(Pattern, NoExpressionMakesItSlow) {
  const std::string text = std::string(Pattern::kMaxText - 1, 'a').append("!");
  const auto began = std::chrono::steady_clock::now();
  for (const char* expression :
       {"(a+)+", "(a*)*", "(a|a)*", "(a|aa)+", "(.*a){20}", "(a?){255}a{255}", "([a-z]+)*x",
        "(.*)(.*)(.*)(.*)(.*)(.*)(.*)(.*)[^!]", "((a{0,5}){0,5}){0,5}"}) {
    const Result<Pattern> pattern = Pattern::compile(expression);
    ASSERT_TRUE(pattern) << expression << ": " << pattern.error().detail;
    EXPECT_FALSE(pattern->matches(text)) << expression;
  }
  EXPECT_LT(std::chrono::steady_clock::now() - began, std::chrono::minutes(10));
}

}  // namespace
}  // namespace oidc
