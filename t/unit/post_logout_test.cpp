// oidc_post_logout_uri: out by the provider, and back with the state that left.
#include <gtest/gtest.h>

#include <string>

#include "oidc/post_logout.h"
#include "scripted_world.h"

namespace oidc {
namespace {

using namespace test;

class PostLogout : public testing::Test {
 protected:
  PostLogout() {
    world_.settings.logout.uri_suffix = "/logout";
    world_.settings.logout.post_logout_uri = "/signed-out";
    world_.log_in(browser_);
  }
  // Logs out; the state that the provider was given.
  std::string leave() {
    const Outcome outcome = world_.access(browser_.post("/logout"));
    browser_.take(outcome);
    const Form query = Form::parse(parse_url(World::location(outcome))->query).value();
    EXPECT_EQ(query.get("post_logout_redirect_uri"), "https://app.example.org/signed-out");
    return std::string(query.get("state").value_or(""));
  }
  Outcome come_back(std::string query, Owners owners = {}) {
    if (owners.empty()) owners.push_back(&world_.worker.services);
    auto facts = browser_.navigate("/signed-out?" + query);
    Outcome outcome = world_.loop.run(post_logout_flow(owners, facts));
    browser_.take(outcome);
    return outcome;
  }

  World world_;
  Browser browser_;
};

TEST_F(PostLogout, ThereAndBack) {
  const std::string state = leave();
  EXPECT_GE(state.size(), 22U);
  ASSERT_EQ(browser_.count("__Host-login_"), 1U);
  const Browser::Cookie cookie = browser_.cookies.begin()->second;
  EXPECT_NE(cookie.attributes.find("Max-Age=600"), std::string::npos) << cookie.attributes;
  EXPECT_NE(cookie.attributes.find("HttpOnly"), std::string::npos);
  const Outcome outcome = come_back("state=" + state);
  EXPECT_EQ(outcome.kind, Outcome::Kind::answer) << describe(outcome);
  EXPECT_EQ(outcome.status, 200);
  EXPECT_NE(outcome.body.find("Signed out"), std::string::npos);
  EXPECT_TRUE(browser_.cookies.empty());
  const Outcome again = come_back("state=" + state);
  EXPECT_TRUE(denies(again, Errc::logout_state_invalid)) << "once";
  EXPECT_NE(again.body.find("<title>Sign-out not confirmed</title>"), std::string::npos);
}

TEST_F(PostLogout, ThenToTheConfiguredAddress) {
  world_.settings.logout.redirect_uri.text = "https://portal.example/";
  EXPECT_TRUE(redirects_to(come_back("state=" + leave()), "https://portal.example/"));
}

TEST_F(PostLogout, NothingElseIsLetThrough) {
  const std::string state = leave();
  for (const std::string& query :
       {std::string(), std::string("state="), "state=" + state + "x", "state=" + state + "&state=" + state,
        std::string("state=other"), std::string("state=%zz"), "State=" + state}) {
    EXPECT_TRUE(denies(come_back(query), Errc::logout_state_invalid)) << query;
  }
  auto post = browser_.post("/signed-out?state=" + state);
  const Owners owners{&world_.worker.services};
  EXPECT_TRUE(denies(world_.loop.run(post_logout_flow(owners, post)), Errc::logout_state_invalid));
  Browser stranger;
  auto facts = stranger.navigate("/signed-out?state=" + state);
  EXPECT_TRUE(denies(world_.loop.run(post_logout_flow(owners, facts)), Errc::logout_state_invalid));
  EXPECT_EQ(come_back("state=" + state).kind, Outcome::Kind::answer) << "nothing was used up";
}

TEST_F(PostLogout, HasTenMinutes) {
  const std::string state = leave();
  world_.loop.advance(Milliseconds(601'000));
  EXPECT_TRUE(denies(come_back("state=" + state), Errc::logout_state_invalid));
}

TEST_F(PostLogout, APendingLoginIsNoPendingLogout) {
  const std::string state = leave();
  const std::string name = browser_.cookies.begin()->first;
  Browser other;
  world_.visit(other, "/");
  ASSERT_EQ(other.count("__Host-login_"), 1U);
  browser_.cookies[name].value = other.cookies.begin()->second.value;
  EXPECT_TRUE(denies(come_back("state=" + state), Errc::logout_state_invalid));
}

TEST_F(PostLogout, OnAForeignHostIsRefused) {
  const std::string state = leave();
  auto facts = browser_.navigate("/signed-out?state=" + state);
  facts->host = "evil.example";
  const Owners owners{&world_.worker.services};
  EXPECT_TRUE(denies(world_.loop.run(post_logout_flow(owners, facts)), Errc::misdirected));
}

TEST_F(PostLogout, TheLocationThatBeganItDecides) {
  Settings second = sample_settings();
  second.logout.uri_suffix = "/logout";
  second.logout.post_logout_uri = "/signed-out";
  second.fingerprint = sha256_text("other directives");
  second.logout.redirect_uri.text = "https://second.example/";
  ScriptedWorker other(second, world_.loop, world_.io, world_.op, world_.store, world_.ledger,
                       world_.shared, world_.keys, world_.log);
  world_.settings.logout.redirect_uri.text = "https://first.example/";
  const std::string state = leave();
  const Owners owners{&other.services, &world_.worker.services};
  EXPECT_TRUE(redirects_to(come_back("state=" + state, owners), "https://first.example/"));
}

TEST_F(PostLogout, WithoutEndSessionNothingIsExpectedBack) {
  World world;
  world.op.metadata.erase("end_session_endpoint");
  world.settings.logout = world_.settings.logout;
  Browser browser;
  world.log_in(browser);
  const Outcome outcome = world.access(browser.post("/logout"));
  EXPECT_EQ(outcome.status, 200);
  EXPECT_EQ(outcome.set_cookies.size(), 1U);
}

// ---- oidc_logout_post_arg

class PostedLogout : public testing::Test {
 protected:
  PostedLogout() {
    world_.settings.logout.post_arg = "logout";
    world_.log_in(browser_);
  }
  Outcome post(std::string body, Fault fault = Fault::none) {
    ScriptedBody reader(world_.io, std::move(body));
    if (fault != Fault::none) world_.io.break_all("body", fault);
    auto facts = browser_.post("/app");
    return world_.loop.run(access_flow_with_form(world_.worker.services, facts, reader));
  }

  World world_;
  Browser browser_;
};

TEST_F(PostedLogout, TheArgumentEndsTheSession) {
  EXPECT_TRUE(redirects_to(post("a=1&logout=now"), "https://op.example.com/logout?"));
  EXPECT_EQ(world_.store.size(), 0U);
}

TEST_F(PostedLogout, AnyOtherFormGoesOn) {
  for (const char* body : {"a=1", "Logout=1", "x=logout", "", "%zz&logout=1"}) {
    EXPECT_TRUE(passes(post(body))) << body;
  }
  EXPECT_EQ(world_.store.size(), 1U);
}

TEST_F(PostedLogout, IsNoBackDoorForOtherSites) {
  ScriptedBody reader(world_.io, "logout=1");
  auto facts = browser_.post("/app");
  facts->sec_fetch_site = "cross-site";
  EXPECT_TRUE(denies(world_.loop.run(access_flow_with_form(world_.worker.services, facts, reader)),
                     Errc::logout_cross_site));
  EXPECT_EQ(world_.store.size(), 1U);
}

TEST_F(PostedLogout, ABodyThatBreaksOffIsRefused) {
  EXPECT_TRUE(denies(post("logout=1", Fault::error), Errc::malformed));
  EXPECT_EQ(world_.store.size(), 1U);
}

}  // namespace
}  // namespace oidc
