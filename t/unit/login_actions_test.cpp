// oidc_login_action, oidc_login_tokens, oidc_login_redirect_mode, oidc_login_redirect_uri; and
// several Settings behind one callback.
#include <gtest/gtest.h>

#include <string>

#include "scripted_world.h"

namespace oidc {
namespace {

using namespace test;

class LoginActions : public testing::Test {
 protected:
  Outcome log_in() { return world_.log_in(browser_, "/a?b=c#not-sent"); }
  World world_;
  Browser browser_;
};

TEST_F(LoginActions, ToAConfiguredAddress) {
  world_.settings.login.redirect_uri.text = "https://portal.example/start";
  EXPECT_TRUE(redirects_to(log_in(), "https://portal.example/start"));
}

TEST_F(LoginActions, TokensInTheFragment) {
  world_.settings.login.redirect_uri.text = "https://app.example.org/spa#old";
  world_.settings.login.tokens.access_token = true;
  const std::string location = World::location(log_in());
  EXPECT_EQ(location, "https://app.example.org/spa#access_token=access-2");
}

TEST_F(LoginActions, TokensInTheQuery) {
  world_.settings.login.redirect_uri.text = "https://app.example.org/spa?x=1";
  world_.settings.login.redirect_mode = LoginRedirectMode::query;
  world_.settings.login.tokens.refresh_token = true;
  EXPECT_EQ(World::location(log_in()), "https://app.example.org/spa?x=1&refresh_token=refresh-2");
}

TEST_F(LoginActions, ARefreshTokenThatDoesNotExistIsLeftOut) {
  world_.op.gives_refresh_tokens = false;
  world_.settings.login.action = LoginAction::response;
  world_.settings.login.tokens.tokens = true;
  const Outcome outcome = log_in();
  const Json body = Json::parse(outcome.body);
  EXPECT_EQ(body.size(), 2U);
  EXPECT_TRUE(body.contains("access_token") && body.contains("id_token"));
}

TEST_F(LoginActions, ResponseGivesWhatIsAskedForAndIsNeverStored) {
  world_.settings.login.action = LoginAction::response;
  world_.settings.login.tokens.id_token = true;
  const Outcome outcome = log_in();
  EXPECT_EQ(outcome.kind, Outcome::Kind::answer);
  EXPECT_EQ(outcome.status, 200);
  EXPECT_EQ(outcome.content_type, "application/json");
  EXPECT_EQ(World::header(outcome, "Cache-Control"), "private, no-store");
  EXPECT_EQ(World::header(outcome, "X-Content-Type-Options"), "nosniff");
  const Json body = Json::parse(outcome.body);
  ASSERT_EQ(body.size(), 1U);
  EXPECT_EQ(body["id_token"], world_.session_of(browser_)->record().id_token.text());
}

TEST_F(LoginActions, UpstreamGoesOnWithTheSession) {
  world_.settings.login.action = LoginAction::upstream;
  const Outcome outcome = log_in();
  EXPECT_EQ(outcome.kind, Outcome::Kind::reroute);
  EXPECT_EQ(outcome.target, "/a?b=c#not-sent");
  ASSERT_NE(outcome.session, nullptr);
  EXPECT_EQ(outcome.session->key(), world_.session_of(browser_)->key());
}

TEST_F(LoginActions, EveryOneOfThemSetsTheCookie) {
  for (const LoginAction action :
       {LoginAction::redirect, LoginAction::response, LoginAction::upstream}) {
    world_.settings.login.action = action;
    browser_.cookies.clear();
    log_in();
    EXPECT_TRUE(passes(world_.visit(browser_, "/")));
    EXPECT_EQ(browser_.count("__Host-login_"), 0U);
  }
}

// Two locations on one redirect URI.
class TwoOwners : public testing::Test {
 protected:
  TwoOwners() : second_settings_(sample_settings()) {}

  Outcome come_back(const Form& answer) {
    ScriptedBody none(world_.io, "");
    const Owners owners = {&world_.worker.services, &second_.services};
    Outcome outcome = world_.loop.run(
        callback_flow(owners, browser_.navigate("/callback?" + answer.encode()), none));
    browser_.take(outcome);
    return outcome;
  }
  Form begin_at_second() {
    const Outcome start =
        world_.loop.run(access_flow(second_.services, browser_.navigate("/second")));
    browser_.take(start);
    return world_.op.authorize(World::location(start));
  }

  World world_;
  Browser browser_;
  Settings second_settings_;
  ScriptedWorker second_{second_settings_, world_.loop,   world_.io,   world_.op,
                         world_.store,     world_.ledger, world_.shared, world_.keys, world_.log};
};

TEST_F(TwoOwners, TheStateSaysWhoseItIsByIdentity) {
  second_settings_.identity = sha256_text("another identity");
  const Outcome outcome = come_back(begin_at_second());
  EXPECT_TRUE(redirects_to(outcome, "https://app.example.org/second")) << describe(outcome);
  EXPECT_EQ(outcome.settings, &second_settings_);
}

TEST_F(TwoOwners, TheStateSaysWhoseItIsByFingerprint) {
  second_settings_.fingerprint = sha256_text("other directives");
  second_settings_.login.redirect_uri.text = "https://second.example/";
  const Outcome outcome = come_back(begin_at_second());
  EXPECT_TRUE(redirects_to(outcome, "https://second.example/")) << describe(outcome);
  EXPECT_EQ(outcome.settings, &second_settings_);
}

TEST_F(TwoOwners, AfterAReloadAnyOfThatIdentityWillDo) {
  const Form answer = begin_at_second();
  world_.settings.fingerprint = sha256_text("new directives");
  second_settings_.fingerprint = sha256_text("other new directives");
  EXPECT_TRUE(redirects_to(come_back(answer), "https://app.example.org/second"));
}

TEST_F(TwoOwners, NobodysStateIsInvalid) {
  second_settings_.identity = sha256_text("another identity");
  const Form answer = begin_at_second();
  second_settings_.identity = sha256_text("a third identity");
  EXPECT_TRUE(denies(come_back(answer), Errc::state_invalid));
}

}  // namespace
}  // namespace oidc
