// Rules inside the flows: 403 where they are not met, never another login.
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <string>

#include "conf_lines.h"
#include "oidc/admission.h"
#include "oidc/rules.h"
#include "scripted_world.h"

namespace oidc {
namespace {

using namespace test;

// An access token that is a JWT with these claims.
std::string jwt(const Json& claims) {
  std::string token = base64url_encode(R"({"alg":"RS256"})");
  return token.append(".").append(base64url_encode(claims.dump())).append(".c2lnbmF0dXJl");
}

class Admission : public testing::Test {
 protected:
  Admission() {
    world_.settings.rules = rules("oidc_roles_required editor");
    world_.op.edit_id_token = [this](Json& claims) { claims["roles"] = roles_; };
  }
  static std::shared_ptr<const Rules> rules(const std::string& lines) {
    return build(lines).settings->rules;
  }
  Outcome visit(std::string target = "/a") { return world_.visit(browser_, std::move(target)); }

  World world_;
  Browser browser_;
  Json roles_ = {"editor"};
};

TEST_F(Admission, WhoMeetsTheRulesPasses) {
  world_.log_in(browser_);
  EXPECT_TRUE(passes(visit()));
}

TEST_F(Admission, WhoDoesNotGets403AndNeverALogin) {
  roles_ = {"reader"};
  const Outcome home = world_.log_in(browser_, "/a?b=c");
  EXPECT_EQ(World::location(home), "https://app.example.org/a?b=c");
  for (int i = 0; i < 3; ++i) {
    const Outcome outcome = visit();
    EXPECT_TRUE(denies(outcome, Errc::forbidden)) << describe(outcome);
    EXPECT_EQ(outcome.detail, "oidc_roles_required: roles has none of the alternatives");
    EXPECT_NE(outcome.session, nullptr) << "the log names the session";
    EXPECT_TRUE(outcome.set_cookies.empty());
    EXPECT_EQ(outcome.body.find("roles"), std::string::npos);
    EXPECT_EQ(World::header(outcome, "Cache-Control"), "private, no-store");
    EXPECT_EQ(World::header(outcome, "WWW-Authenticate"), "");
  }
  EXPECT_TRUE(denies(world_.access(browser_.fetch("/a")), Errc::forbidden));
  EXPECT_EQ(world_.op.codes_redeemed, 1U);
  EXPECT_NE(world_.session_of(browser_), nullptr) << "the session stays";
}

TEST_F(Admission, ScopesHaveAReasonOfTheirOwn) {
  world_.settings.rules = rules("oidc_scopes_required profile");
  world_.log_in(browser_);
  EXPECT_TRUE(passes(visit())) << "the token endpoint's answer says the scope";
  world_.settings.rules = rules("oidc_scopes_required write");
  EXPECT_TRUE(denies(visit(), Errc::scope_insufficient));
}

TEST_F(Admission, WithoutASessionOneLogsIn) {
  EXPECT_TRUE(starts_login(visit()));
  EXPECT_TRUE(denies(world_.access(browser_.fetch("/a")), Errc::unauthenticated));
}

TEST_F(Admission, NewTokensAreANewDecision) {
  std::string scope = "read write";
  world_.settings.rules = rules("oidc_scopes_required write");
  world_.op.edit_tokens = [&scope](Json& tokens) {
    tokens["access_token"] = jwt({{"scope", scope}});
  };
  world_.op.edit_id_token = [](Json& claims) { claims.erase("at_hash"); };
  world_.log_in(browser_);
  EXPECT_TRUE(passes(visit()));
  scope = "read";
  world_.loop.advance(290'000);
  const Outcome narrowed = visit();
  EXPECT_EQ(world_.op.refreshes, 1U);
  EXPECT_TRUE(denies(narrowed, Errc::scope_insufficient)) << describe(narrowed);
  EXPECT_TRUE(denies(visit(), Errc::scope_insufficient));
  scope = "read write";
  world_.loop.advance(290'000);
  const Outcome widened = visit();
  EXPECT_TRUE(passes(widened)) << describe(widened);
  EXPECT_EQ(world_.op.codes_redeemed, 1U);
}

TEST_F(Admission, TokensAreHandedToNobodyWhomTheRulesRefuse) {
  LoginSettings& login = world_.settings.login;
  roles_ = {"reader"};
  login.tokens.access_token = true;
  login.action = LoginAction::response;
  Outcome outcome = world_.log_in(browser_, "/a");
  EXPECT_TRUE(redirects_to(outcome, "https://app.example.org/a"));
  EXPECT_EQ(World::location(outcome), "https://app.example.org/a") << "no tokens";
  EXPECT_TRUE(outcome.body.empty());

  Browser second;
  login.action = LoginAction::redirect;
  login.redirect_uri.text = "https://app.example.org/welcome";
  outcome = world_.log_in(second, "/a");
  EXPECT_EQ(World::location(outcome), "https://app.example.org/a");

  Browser third;
  login.action = LoginAction::upstream;
  outcome = world_.log_in(third, "/a");
  EXPECT_TRUE(redirects_to(outcome, "https://app.example.org/a")) << describe(outcome);
  roles_ = {"editor"};
  Browser fourth;
  outcome = world_.log_in(fourth, "/a");
  EXPECT_EQ(outcome.kind, Outcome::Kind::reroute);
}

TEST_F(Admission, ARememberedUserIsJudgedAsWell) {
  world_.settings.session.remember.on = true;
  world_.settings.session.remember.cookie.name = "remember";
  roles_ = {"reader"};
  world_.log_in(browser_);
  browser_.cookies.erase(World::session_cookie_name());
  const Outcome outcome = visit();
  EXPECT_TRUE(denies(outcome, Errc::forbidden)) << describe(outcome);
  EXPECT_EQ(outcome.set_cookies.size(), 2U) << "used up all the same";
  EXPECT_TRUE(denies(visit(), Errc::forbidden));
}

TEST_F(Admission, PassIsForWhoSendsNothing) {
  world_.settings.unauthenticated = Unauthenticated::pass;
  const Outcome nobody = visit();
  EXPECT_TRUE(passes(nobody));
  EXPECT_EQ(nobody.session, nullptr);
  world_.settings.unauthenticated = Unauthenticated::automatic;
  roles_ = {"reader"};
  world_.log_in(browser_);
  world_.settings.unauthenticated = Unauthenticated::pass;
  EXPECT_TRUE(denies(visit(), Errc::forbidden));
}

// ---- oidc_forbidden_destroy_session, oidc_unauthorized_destroy_session ---------------------------

TEST_F(Admission, TheSessionEndsWhereThatIsConfigured) {
  world_.settings.errors.forbidden_destroy_session = true;
  roles_ = {"reader"};
  world_.log_in(browser_);
  const auto session = world_.session_of(browser_);
  ASSERT_NE(session, nullptr);
  const auto prefetch = browser_.navigate("/a");
  prefetch->sec_purpose = "prefetch";
  EXPECT_TRUE(denies(world_.access(prefetch), Errc::forbidden));
  EXPECT_TRUE(world_.store.has(session->key())) << "a prefetch ends nothing";
  EXPECT_TRUE(denies(visit(), Errc::forbidden));
  EXPECT_FALSE(world_.store.has(session->key()));
  EXPECT_EQ(browser_.count(World::session_cookie_name()), 0U);
  EXPECT_TRUE(starts_login(visit())) << "the next visit is another one's";
}

TEST_F(Admission, ARememberedSessionEndsWithItsCookie) {
  world_.settings.errors.forbidden_destroy_session = true;
  world_.settings.session.remember.on = true;
  world_.settings.session.remember.cookie.name = "remember";
  roles_ = {"reader"};
  world_.log_in(browser_);
  browser_.cookies.erase(World::session_cookie_name());
  EXPECT_TRUE(denies(visit(), Errc::forbidden));
  EXPECT_TRUE(browser_.cookies.empty());
  EXPECT_TRUE(starts_login(visit()));
}

TEST_F(Admission, AStoreThatDoesNotAnswerEndsNothing) {
  world_.settings.errors.forbidden_destroy_session = true;
  roles_ = {"reader"};
  world_.log_in(browser_);
  const auto session = world_.session_of(browser_);
  world_.io.break_all("store erase", Fault::error);
  const Outcome outcome = visit();
  EXPECT_TRUE(denies(outcome, Errc::forbidden)) << describe(outcome);
  EXPECT_TRUE(outcome.set_cookies.empty());
  EXPECT_TRUE(world_.store.has(session->key()));
}

TEST_F(Admission, OtherMethodsKeepTheirHandsOffTheSession) {
  world_.settings.errors.forbidden_destroy_session = true;
  world_.log_in(browser_);
  SessionRecord record = sample_record();
  record.method = static_cast<std::uint8_t>(Method::bearer);
  const auto bearer = *OpenSession::make({}, store_key("x"), "", encode_record(record));
  const Outcome outcome =
      world_.loop.run(admit(world_.worker.services, browser_.navigate("/a"), bearer));
  EXPECT_TRUE(denies(outcome, Errc::forbidden));
  EXPECT_TRUE(outcome.set_cookies.empty());
  EXPECT_NE(world_.session_of(browser_), nullptr);
}

TEST_F(Admission, Unauthorized) {
  world_.log_in(browser_);
  const auto session = world_.session_of(browser_);
  world_.settings.unauthenticated = Unauthenticated::deny;
  world_.settings.authorization.acr_values = {"gold"};  // this session is too weak here
  EXPECT_TRUE(denies(visit(), Errc::insufficient_user_authentication));
  EXPECT_TRUE(world_.store.has(session->key())) << "off by default";
  world_.settings.errors.unauthorized_destroy_session = true;
  EXPECT_TRUE(denies(visit(), Errc::insufficient_user_authentication));
  EXPECT_FALSE(world_.store.has(session->key()));
  EXPECT_TRUE(browser_.cookies.empty());
}

// ---- what the answers look like -----------------------------------------------------------------

class ErrorAnswers : public Admission {
 protected:
  ErrorAnswers() {
    roles_ = {"reader"};
    world_.log_in(browser_);
  }
  ErrorSettings& errors() { return world_.settings.errors; }
};

TEST_F(ErrorAnswers, ForPeopleAndForPrograms) {
  errors().forbidden_message = "No <entry> & \"sorry\"";
  const auto page = browser_.navigate("/a");
  page->request_id = "id-<7>";
  Outcome outcome = world_.access(page);
  EXPECT_EQ(outcome.content_type, "text/html; charset=utf-8");
  EXPECT_NE(outcome.body.find("<html lang=\"en\">"), std::string::npos);
  EXPECT_NE(outcome.body.find("<h1>No &lt;entry&gt; &amp; &quot;sorry&quot;</h1>"), std::string::npos)
      << outcome.body;
  EXPECT_NE(outcome.body.find("id-&lt;7&gt;"), std::string::npos);
  EXPECT_EQ(outcome.body.find(info(Errc::forbidden).sentence), std::string::npos);

  const auto fetch = browser_.fetch("/a");
  fetch->request_id = "id-7";
  outcome = world_.access(fetch);
  EXPECT_EQ(outcome.content_type, "application/json");
  EXPECT_EQ(Json::parse(outcome.body), Json({{"message", "No <entry> & \"sorry\""},
                                             {"error", "forbidden"},
                                             {"request_id", "id-7"}}));
}

TEST_F(ErrorAnswers, SayWhyWhereThatIsConfigured) {
  errors().display = true;
  EXPECT_NE(visit().body.find("<p>the claims do not meet the rules of this location</p>"),
            std::string::npos);
  EXPECT_EQ(Json::parse(world_.access(browser_.fetch("/a")).body)["reason"].get<std::string>(),
            info(Errc::forbidden).sentence);
}

TEST_F(ErrorAnswers, RedirectBrowsers) {
  errors().forbidden_redirect_uri = "/denied?x=1";
  Outcome outcome = visit();
  EXPECT_EQ(outcome.status, 302);
  EXPECT_EQ(outcome.reason, Errc::forbidden);
  EXPECT_EQ(World::location(outcome), "https://app.example.org/denied?x=1");
  EXPECT_EQ(World::header(outcome, "Cache-Control"), "private, no-store");
  EXPECT_TRUE(outcome.body.empty());
  const auto post = browser_.navigate("/a");
  post->method = "POST";
  EXPECT_EQ(world_.access(post).status, 303);
  EXPECT_TRUE(denies(world_.access(browser_.fetch("/a")), Errc::forbidden)) << "JSON stays 403";
  // Where it leads to itself it ends.
  for (const char* target : {"/denied?x=1", "/denied", "/denied?y"}) {
    EXPECT_TRUE(denies(visit(target), Errc::forbidden)) << target;
  }
  errors().forbidden_redirect_uri = "https://app.example.org/denied";
  EXPECT_TRUE(denies(visit("/denied"), Errc::forbidden));
  errors().forbidden_redirect_uri = "https://other.example.org/denied";
  EXPECT_EQ(World::location(visit("/denied")), "https://other.example.org/denied");
}

TEST_F(ErrorAnswers, EachStatusHasItsOwn) {
  errors().unauthorized_redirect_uri = "/401";
  errors().unexpected_redirect_uri = "/5xx";
  EXPECT_TRUE(denies(visit(), Errc::forbidden)) << "403 has none";
  world_.settings.unauthenticated = Unauthenticated::deny;
  Browser stranger;
  EXPECT_EQ(World::location(world_.visit(stranger, "/a")), "https://app.example.org/401");
  world_.io.break_all("store", Fault::error);
  const Outcome outage = visit();
  EXPECT_EQ(World::location(outage), "https://app.example.org/5xx") << describe(outage);
  EXPECT_EQ(outage.reason, Errc::store_unavailable);
  EXPECT_TRUE(denies(world_.access(browser_.fetch("/a")), Errc::store_unavailable));
}

}  // namespace
}  // namespace oidc
