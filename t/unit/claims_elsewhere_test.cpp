// Claims that the provider keeps elsewhere; the domain of a user; tokens of one browser's session.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <string>

#include "conf_lines.h"
#include "oidc/rules.h"
#include "oidc/token_cache.h"
#include "scripted_world.h"

namespace oidc {
namespace {

using namespace test;
using testing::HasSubstr;

std::shared_ptr<const Rules> rules(const std::string& lines) {
  const Built built = build(lines);
  if (built.settings == nullptr) throw std::logic_error(built.error);
  return built.settings->rules;
}

Error said(const std::string& lines, const std::string& claims) {
  const std::string token = base64url_encode(R"({"alg":"RS256"})") + "." +
                            base64url_encode(claims) + ".c2lnbmF0dXJl";
  SessionRecord record;
  record.access_token = token;
  const Result<void> checked = rules(lines)->check(Claims(record));
  return checked ? Error{Errc::none, {}} : checked.error();
}

constexpr const char* kOverage =
    R"({"_claim_names":{"groups":"src1"},"_claim_sources":{"src1":{"endpoint":
        "https://graph.windows.net/t/users/u/getMemberObjects"}}})";

TEST(ClaimsElsewhere, AnOverageOfGroupsIsNamed) {
  for (const char* lines : {"oidc_groups_required staff", "oidc_require groups contains staff",
                            "oidc_require groups exists"}) {
    for (const char* claims : {kOverage, R"({"hasgroups":true})", R"({"hasgroups":"true"})"}) {
      const Error error = said(lines, claims);
      EXPECT_EQ(error.code, Errc::claims_elsewhere) << lines << claims;
      EXPECT_THAT(error.detail, HasSubstr("groups"));
      EXPECT_THAT(error.detail, HasSubstr("_claim_names or hasgroups"));
      EXPECT_THAT(error.detail, testing::Not(HasSubstr("graph"))) << "no value of a claim";
    }
  }
}

TEST(ClaimsElsewhere, OtherDistributedAndAggregatedClaims) {
  const std::string aggregated =
      R"({"_claim_names":{"address":"a"},"_claim_sources":{"a":{"JWT":"e30.e30.c2ln"}}})";
  EXPECT_EQ(said("oidc_require address.country = DE", aggregated).code, Errc::claims_elsewhere);
  EXPECT_EQ(said("oidc_require phone exists", aggregated).code, Errc::forbidden);
  EXPECT_EQ(said("oidc_roles_claim address\noidc_roles_required x", aggregated).code,
            Errc::claims_elsewhere);
}

TEST(ClaimsElsewhere, NothingOfItLetsAnybodyIn) {
  for (const char* claims :
       {R"({"_claim_names":{"groups":"staff"},"_claim_sources":{"staff":{"groups":["staff"]}}})",
        R"({"_claim_names":{"groups":["staff"]}})", R"({"hasgroups":["staff"]})"}) {
    EXPECT_NE(said("oidc_groups_required staff", claims).code, Errc::none) << claims;
  }
  for (const char* claims : {"{}", R"({"_claim_names":[]})", R"({"_claim_names":"groups"})",
                             R"({"_claim_names":null})", R"({"hasgroups":false})",
                             R"({"hasgroups":1})", R"({"_claim_names":{"roles":"x"}})"}) {
    EXPECT_EQ(said("oidc_groups_required staff", claims).code, Errc::forbidden) << claims;
  }
}

TEST(ClaimsElsewhere, ARuleThatDoesNotHoldIsJustThat) {
  const std::string both = R"({"groups":["guests"],"_claim_names":{"groups":"x"}})";
  EXPECT_EQ(said("oidc_groups_required staff", both).code, Errc::forbidden);
  EXPECT_EQ(said("oidc_scopes_required staff", kOverage).code, Errc::scope_insufficient);
}

TEST(Domains, TheClaimIsOneOfThem) {
  const char* lines = "oidc_domains example.com example.org";
  EXPECT_EQ(said(lines, R"({"hd":"example.com"})").code, Errc::none);
  EXPECT_EQ(said(lines, R"({"hd":"example.org"})").code, Errc::none);
  for (const char* claims :
       {"{}", R"({"hd":null})", R"({"hd":""})", R"({"hd":"example.net"})", R"({"hd":"EXAMPLE.COM"})",
        R"({"hd":"evil-example.com"})", R"({"hd":"example.com.evil"})", R"({"hd":{}})",
        R"({"hd":true})", R"({"email":"a@example.com"})"}) {
    const Error error = said(lines, claims);
    EXPECT_EQ(error.code, Errc::forbidden) << claims;
    EXPECT_THAT(error.detail, HasSubstr("oidc_domains: hd"));
  }
  EXPECT_EQ(rules("oidc_domains off"), nullptr);
}

TEST(Domains, InTheConfiguration) {
  for (const char* word : {"Example.com", "https://example.com", "@example.com", "*.example.com",
                           "example.com,example.org"}) {
    const Built built = build(std::string("oidc_domains ") + word);
    EXPECT_THAT(built.error, HasSubstr("a domain in lower case is expected")) << word;
  }
  EXPECT_THAT(build("oidc_domains example.com off").error, HasSubstr("oidc_domains"));
  EXPECT_THAT(build("oidc_domains a.test a.test").error, HasSubstr("twice"));
}

TEST(UserinfoMode, InTheConfiguration) {
  const UserinfoSettings missing =
      build("oidc_userinfo missing refresh=5m\noidc_require email exists").settings->userinfo;
  EXPECT_TRUE(missing.missing && !missing.at_login);
  EXPECT_EQ(missing.refresh, 300);
  ASSERT_EQ(missing.wanted.size(), 1U);
  EXPECT_EQ(missing.wanted[0].names().front(), "email");
  EXPECT_TRUE(build("oidc_scopes_required a\noidc_userinfo missing").settings->userinfo.wanted.empty())
      << "scopes are the access token's";
  for (const char* line : {"oidc_userinfo on", "oidc_userinfo off refresh=5m",
                           "oidc_userinfo login refresh", "oidc_userinfo login refresh=5s",
                           "oidc_userinfo login refresh=x", "oidc_userinfo missing login",
                           "oidc_jwt_session_cookie a=b", "oidc_jwt_session_claim a..b"}) {
    EXPECT_EQ(build(line).settings, nullptr) << line;
  }
}

// ---- oidc_jwt_session_cookie -----------------------------------------------------------------------

class SessionOfToken : public testing::Test {
 protected:
  SessionOfToken() {
    world_.worker.services.tokens = &cache_;
    Settings& settings = world_.settings;
    settings.credentials.session = settings.credentials.authorization_code = false;
    settings.credentials.bearer = true;
    settings.access_token.algs.add(Alg::ES256);
    settings.access_token.session_cookie = "app";
    settings.access_token.session_claim = *ClaimPath::parse("sid");
  }
  Errc send(const std::vector<std::string>& cookies, const Json& with = {{"sid", "s-1"}}) {
    Json claims = {{"iss", kIssuer}, {"sub", "alice"}, {"exp", world_.loop.now() + 300}};
    claims.update(with);
    const auto facts = browser_.navigate("/api");
    facts->authorization = {"Bearer " + world_.op.key->sign({{"typ", "at+jwt"}}, claims)};
    facts->cookie_headers = cookies;
    const Outcome outcome = world_.access(facts);
    EXPECT_TRUE(passes(outcome) || outcome.status == 401) << describe(outcome);
    return passes(outcome) ? Errc::none : outcome.reason;
  }

  World world_;
  TokenCache cache_{{100, 1024 * 1024}};
  Browser browser_;
};

TEST_F(SessionOfToken, TheCookieIsTheClaim) {
  EXPECT_EQ(send({"app=s-1"}), Errc::none);
  EXPECT_EQ(send({"a=b; app=s-1; c=d"}), Errc::none);
  const std::vector<std::vector<std::string>> wrong = {
      {},         {"app=s-2"},          {"app="},           {"App=s-1"},
      {"xapp=s-1"}, {"app=s-1; app=s-1"}, {"app=s-1", "app=s-2"}};
  for (const auto& cookies : wrong) {
    EXPECT_EQ(send(cookies), Errc::access_token_session) << testing::PrintToString(cookies);
  }
  EXPECT_EQ(send({"app=s-1"}), Errc::none) << "a refusal is the request's, not the token's";
}

TEST_F(SessionOfToken, ATokenWithoutTheClaimIsNobodys) {
  for (const Json& claims : {Json::object(), Json{{"sid", nullptr}}, Json{{"sid", {"s-1"}}},
                             Json{{"sid", 1}}, Json{{"sid", ""}}}) {
    EXPECT_EQ(send({"app="}, claims), Errc::access_token_session) << claims;
    EXPECT_EQ(send({"app=s-1"}, claims), Errc::access_token_session) << claims;
  }
  world_.settings.access_token.session_claim = *ClaimPath::parse("ext.session");
  EXPECT_EQ(send({"app=s-1"}, {{"ext", {{"session", "s-1"}}}}), Errc::none);
}

TEST_F(SessionOfToken, NothingIsComparedWhereNoCookieIsNamed) {
  world_.settings.access_token.session_cookie.clear();
  EXPECT_EQ(send({}, Json::object()), Errc::none);
}

}  // namespace
}  // namespace oidc
