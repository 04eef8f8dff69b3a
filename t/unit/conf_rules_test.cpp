// What nginx -t says of rules on claims and of the answers to who does not meet them.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "conf_lines.h"
#include "oidc/rules.h"

namespace oidc {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

struct Refused {
  const char* lines;
  const char* why;
};
class ConfRulesRefused : public testing::TestWithParam<Refused> {};

TEST_P(ConfRulesRefused, SaysWhy) {
  const Built built = build(GetParam().lines);
  ASSERT_EQ(built.settings, nullptr) << GetParam().lines;
  EXPECT_THAT(built.error, StartsWith("oidc_")) << "the directive is named";
  EXPECT_THAT(built.error, HasSubstr(GetParam().why));
}

constexpr Refused kRefused[] = {
    {"oidc_roles_required \"\"", "a word is expected"},
    {"oidc_roles_required \"  \"", "a word is expected"},
    {"oidc_roles_required a\x01", "a word is expected"},
    {"oidc_roles_required a off", "\"off\": it stands alone"},
    {"oidc_roles_required a a", "one of them says nothing"},
    {"oidc_roles_required \"a b\" \"b a\"", "one of them says nothing"},
    {"oidc_roles_required a \"b a\"", "one of them says nothing"},
    {"oidc_roles_required \"b a\" a", "one of them says nothing"},
    {"oidc_roles_required \"a a\"", "a word twice"},
    {"oidc_audience_required any api", "\"any\": it stands alone"},
    {"oidc_roles_claim a..b", "the path of a claim"},
    {"oidc_roles_claim off", "the path of a claim"},
    {"oidc_scopes_claim a\\b", "the path of a claim"},
    {"oidc_groups_claim .", "the path of a claim"},
    {"oidc_claims_forbidden act act", "twice"},
    {"oidc_claims_forbidden a.", "the path of a claim"},
    {"oidc_claims_forbidden act off", "the path of a claim"},
    {"oidc_claims_forbidden groups\noidc_groups_required a", "nobody could pass"},
    {"oidc_claims_forbidden realm_access\noidc_require realm_access.roles exists", "nobody could pass"},
    {"oidc_require sub", "an operator"},
    {"oidc_require a..b exists", "the path of a claim"},
    {"oidc_require sub is bob", "=, !=, in, contains"},
    {"oidc_require sub == bob", "\"==\""},
    {"oidc_require sub =", "exactly one value"},
    {"oidc_require sub = a b", "\"in\" takes several"},
    {"oidc_require sub in", "at least one value"},
    {"oidc_require sub in a b a", "twice"},
    {"oidc_require sub contains", "at least one value"},
    {"oidc_require sub exists a", "takes no value"},
    {"oidc_require age >= old", "a whole number"},
    {"oidc_require age >= 1.5", "a whole number"},
    {"oidc_require age >= 99999999999999999999", "a whole number"},
    {"oidc_require age < \"\"", "a whole number"},
    {"oidc_require sub matches (a", "a ) is missing"},
    {"oidc_require sub matches a.*$", "go together"},
    {"oidc_require sub matches (?=a)b", "only (?:"},
    {"oidc_require a = 1\noidc_require a = 1", "the same rule is there twice"},
    {"oidc_require a exists\noidc_require b exists\noidc_require a exists", "twice"},
    {"oidc_require a = x\noidc_require a != x", "the opposite"},
    {"oidc_unauthorized_redirect_uri login", "a path is expected"},
    {"oidc_forbidden_redirect_uri //evil.test/", "a path is expected"},
    {"oidc_forbidden_redirect_uri javascript:alert(1)", "a path is expected"},
    {"oidc_forbidden_redirect_uri /no/$uri", "no variables"},
    {"oidc_unexpected_redirect_uri $scheme://$host/", "no variables"},
    {"oidc_forbidden_error_message \"\"", "one line"},
    {"oidc_forbidden_error_message a\x01", "one line"},
    {"oidc_unauthorized_error_message \xff", "one line"},
    {"oidc_forbidden_destroy_session yes", "on or off"},
    {"oidc_unauthorized_destroy_session 1", "on or off"},
    {"oidc_display_errors yes", "on or off"},
    {"oidc_expose_error_code yes", "on or off"},
};
INSTANTIATE_TEST_SUITE_P(Table, ConfRulesRefused, testing::ValuesIn(kRefused));

TEST(ConfRules, Accepted) {
  for (const char* lines :
       {"oidc_roles_required off", "oidc_roles_required admin \"a b\" \"b c\"", "oidc_require off",
        "oidc_claims_forbidden off", "oidc_require a = x\noidc_require a = y",
        "oidc_require a >= 1\noidc_require a <= 5", "oidc_claims_forbidden act\noidc_require actor = 1",
        "oidc_claims_forbidden a.b\noidc_require a.c exists", "oidc_audience_required any",
        "oidc_groups_required any", "oidc_forbidden_redirect_uri /no\noidc_unexpected_redirect_uri off",
        "oidc_unauthorized_redirect_uri https://status.example.com/x?y=1"}) {
    const Built built = build(lines);
    EXPECT_NE(built.settings, nullptr) << lines << ": " << built.error;
  }
  EXPECT_EQ(build("oidc_roles_required off\noidc_require off").settings->rules, nullptr);
}

TEST(ConfRules, WithPassTheyWarn) {
  const Built built = build("oidc_unauthenticated pass\noidc_roles_required admin");
  ASSERT_NE(built.settings, nullptr) << built.error;
  ASSERT_EQ(built.warnings.size(), 1U);
  EXPECT_THAT(built.warnings[0], HasSubstr("oidc_unauthenticated"));
  EXPECT_TRUE(build("oidc_unauthenticated pass").warnings.empty());
}

TEST(ConfErrors, Defaults) {
  const ErrorSettings errors = build("").settings->errors;
  EXPECT_EQ(errors.unauthorized_message, "Unauthorized");
  EXPECT_EQ(errors.forbidden_message, "Forbidden");
  EXPECT_FALSE(errors.forbidden_destroy_session || errors.unauthorized_destroy_session);
  EXPECT_FALSE(errors.display);
  EXPECT_TRUE(errors.expose_code);
  EXPECT_TRUE(errors.forbidden_redirect_uri.empty());
}

}  // namespace
}  // namespace oidc
