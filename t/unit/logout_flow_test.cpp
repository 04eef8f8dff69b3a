#include <gtest/gtest.h>

#include <string>

#include "scripted_world.h"

namespace oidc {
namespace {

using namespace test;

class Logout : public testing::Test {
 protected:
  Logout() {
    world_.settings.logout.uri_suffix = "/logout";
    world_.log_in(browser_);
  }
  Outcome log_out(const std::shared_ptr<RequestFacts>& facts) {
    Outcome outcome = world_.access(facts);
    browser_.take(outcome);
    return outcome;
  }
  Outcome log_out() { return log_out(browser_.post("/app/logout")); }
  static std::shared_ptr<RequestFacts> from_nobody(std::shared_ptr<RequestFacts> facts) {
    facts->sec_fetch_site = facts->origin = facts->referer = "";
    return facts;
  }
  [[nodiscard]] bool logged_in() { return world_.session_of(browser_) != nullptr; }

  World world_;
  Browser browser_;
};

TEST_F(Logout, ErasesTheSessionAndGoesToTheProvider) {
  const std::string id_token(world_.session_of(browser_)->record().id_token.text());
  const Outcome outcome = log_out();
  ASSERT_TRUE(redirects_to(outcome, "https://op.example.com/logout?")) << describe(outcome);
  EXPECT_EQ(outcome.status, 303);
  EXPECT_EQ(World::header(outcome, "Cache-Control"), "private, no-store");
  const Form query = Form::parse(parse_url(World::location(outcome))->query).value();
  EXPECT_EQ(query.get("client_id"), "gateway");
  EXPECT_EQ(query.get("id_token_hint"), id_token);
  EXPECT_EQ(world_.store.size(), 0U);
  EXPECT_TRUE(browser_.cookies.empty());
}

TEST_F(Logout, TheCookieIsDeletedAsItWasSet) {
  const Outcome outcome = log_out();
  ASSERT_EQ(outcome.set_cookies.size(), 1U);
  const std::string& header = outcome.set_cookies[0];
  EXPECT_TRUE(header.starts_with("__Host-session=;"));
  for (const char* attribute : {"Max-Age=0", "; Path=/", "; Secure"}) {
    EXPECT_NE(header.find(attribute), std::string::npos) << attribute;
  }
}

TEST_F(Logout, ACopyOfTheCookieIsWorthless) {
  const Browser copy = browser_;
  log_out();
  EXPECT_TRUE(starts_login(world_.access(copy.navigate("/"))));
}

TEST_F(Logout, ComesBackToTheConfiguredAddress) {
  world_.settings.logout.redirect_uri.text = "https://app.example.org/bye";
  const Form query = Form::parse(parse_url(World::location(log_out()))->query).value();
  EXPECT_EQ(query.get("post_logout_redirect_uri"), "https://app.example.org/bye");
  world_.log_in(browser_);
  world_.settings.logout.redirect_uri.text = "/bye";
  const Form path = Form::parse(parse_url(World::location(log_out()))->query).value();
  EXPECT_EQ(path.get("post_logout_redirect_uri"), "https://app.example.org/bye");
}

TEST_F(Logout, WithoutEndSessionTheLocalAddressOrAPage) {
  World world;
  world.op.metadata.erase("end_session_endpoint");
  world.settings.logout.uri_suffix = "/logout";
  Browser browser;
  world.log_in(browser);
  const Outcome shown = world.access(browser.post("/logout"));
  EXPECT_EQ(shown.kind, Outcome::Kind::answer);
  EXPECT_EQ(shown.status, 200);
  EXPECT_EQ(shown.set_cookies.size(), 1U);
  EXPECT_EQ(world.store.size(), 0U);
  world.settings.logout.redirect_uri.text = "https://portal.example/";
  EXPECT_TRUE(redirects_to(world.access(browser.post("/logout")), "https://portal.example/"));
}

TEST_F(Logout, NeverDependsOnTheProvider) {
  // A worker and a machine that know nothing of the provider, which is down.
  world_.io.break_all("GET", Fault::error);
  SharedTable empty(world_.loop);
  ScriptedWorker fresh(world_.settings, world_.loop, world_.io, world_.op, world_.store, world_.ledger, empty,
                       world_.keys, world_.log);
  const Outcome outcome = world_.loop.run(access_flow(fresh.services, browser_.post("/logout")));
  EXPECT_EQ(outcome.kind, Outcome::Kind::answer) << describe(outcome);
  EXPECT_EQ(outcome.set_cookies.size(), 1U);
  EXPECT_FALSE(logged_in());
  EXPECT_EQ(world_.log.count(Errc::discovery_unavailable), 1U);
}

TEST_F(Logout, AStoreThatIsDownIsSaid) {
  for (const char* call : {"store read", "store erase"}) {
    world_.io.break_all(call, Fault::error);
    const Outcome outcome = log_out();
    EXPECT_TRUE(denies(outcome, Errc::store_unavailable)) << call;
    EXPECT_TRUE(outcome.set_cookies.empty());
  }
  EXPECT_TRUE(logged_in());
}

TEST_F(Logout, WithoutASessionItStillEnds) {
  browser_.cookies.clear();
  const Outcome outcome = log_out();
  ASSERT_TRUE(redirects_to(outcome, "https://op.example.com/logout?")) << describe(outcome);
  EXPECT_EQ(World::location(outcome).find("id_token_hint"), std::string::npos);
}

// Too old or too weak for this location is not too old to be ended.
TEST_F(Logout, EndsASessionThatIsNotGoodEnoughHere) {
  world_.settings.authorization.acr_values = {"gold"};
  ASSERT_TRUE(starts_login(world_.access(browser_.navigate("/"))));
  const Outcome outcome = log_out();
  EXPECT_EQ(outcome.kind, Outcome::Kind::answer) << describe(outcome);
  EXPECT_EQ(world_.store.size(), 0U);
}

TEST_F(Logout, NoOtherSiteLogsOut) {
  for (const char* site : {"cross-site", "same-site"}) {
    const auto facts = browser_.post("/logout");
    facts->sec_fetch_site = site;
    EXPECT_TRUE(denies(log_out(facts), Errc::logout_cross_site)) << site;
  }
  const auto other_origin = from_nobody(browser_.post("/logout"));
  other_origin->origin = "https://evil.example";
  EXPECT_TRUE(denies(log_out(other_origin), Errc::logout_cross_site));
  const auto other_page = from_nobody(browser_.post("/logout"));
  other_page->referer = "https://evil.example/x";
  EXPECT_TRUE(denies(log_out(other_page), Errc::logout_cross_site));
  const auto prefetch = browser_.navigate("/logout");
  world_.settings.logout.get = true;
  prefetch->sec_purpose = "prefetch";
  EXPECT_TRUE(denies(log_out(prefetch), Errc::logout_cross_site));
  EXPECT_TRUE(logged_in());
}

TEST_F(Logout, IsJudgedBeforeTheSessionIsLookedAt) {
  const auto facts = browser_.post("/logout");
  facts->sec_fetch_site = "cross-site";
  world_.io.forget();
  log_out(facts);
  EXPECT_TRUE(world_.io.calls().empty());
}

TEST_F(Logout, SameSiteIsLetInWhereItIsWanted) {
  world_.settings.logout.from = LogoutFrom::same_site;
  const auto cross = browser_.post("/logout");
  cross->sec_fetch_site = "cross-site";
  EXPECT_TRUE(denies(log_out(cross), Errc::logout_cross_site));
  const auto origin = from_nobody(browser_.post("/logout"));
  origin->origin = "https://sibling.example.org";  // nothing says that it is of our site
  EXPECT_TRUE(denies(log_out(origin), Errc::logout_cross_site));
  const auto sibling = browser_.post("/logout");
  sibling->sec_fetch_site = "same-site";
  EXPECT_EQ(log_out(sibling).kind, Outcome::Kind::answer);
  EXPECT_EQ(world_.store.size(), 0U);
}

TEST_F(Logout, AnySiteIsLetInWhereItIsWantedButNoPrefetch) {
  world_.settings.logout.from = LogoutFrom::any;
  world_.settings.logout.get = true;
  const auto prefetch = browser_.navigate("/logout");
  prefetch->sec_purpose = "prefetch";
  EXPECT_TRUE(denies(log_out(prefetch), Errc::logout_cross_site));
  EXPECT_TRUE(logged_in());
  const auto cross = browser_.post("/logout");
  cross->sec_fetch_site = "cross-site";
  EXPECT_EQ(log_out(cross).kind, Outcome::Kind::answer);
  world_.log_in(browser_);
  EXPECT_TRUE(redirects_to(log_out(from_nobody(browser_.post("/logout"))),
                           "https://op.example.com/logout?"));
  EXPECT_EQ(world_.store.size(), 0U);
}

// A second valid cookie, planted by a subdomain or left by a mistake: elsewhere neither is used.
TEST_F(Logout, TwoSessionsInConflictBothEnd) {
  Browser other;
  world_.log_in(other);
  ASSERT_EQ(world_.store.size(), 2U);
  const auto facts = browser_.post("/logout");
  const auto others = other.post("/logout");
  for (const std::string& header : others->cookie_headers) {
    facts->cookie_headers.push_back(header);
  }
  EXPECT_EQ(log_out(facts).kind, Outcome::Kind::answer);
  EXPECT_EQ(world_.store.size(), 0U);
  EXPECT_TRUE(starts_login(world_.access(other.navigate("/"))));
}

TEST_F(Logout, TheConfirmationPageKeepsTheBodysArgument) {
  world_.settings.logout.post_arg = "sign<out";
  const Outcome asked = log_out(from_nobody(browser_.post("/logout")));
  EXPECT_NE(asked.body.find("name=\"sign&lt;out\""), std::string::npos) << asked.body;
}

TEST_F(Logout, OnAForeignHostIsRefused) {
  const auto facts = browser_.post("/logout");
  facts->host = "evil.example";
  EXPECT_TRUE(denies(log_out(facts), Errc::misdirected));
  EXPECT_TRUE(logged_in());
}

// ---- nobody says who asks: the user is asked

std::string action_of(const std::string& html) {
  const std::size_t at = html.find("action=\"https://app.example.org");
  EXPECT_NE(at, std::string::npos) << html;
  const std::size_t begin = html.find("/", at + 17);
  return html.substr(begin, html.find('"', begin) - begin);
}

TEST_F(Logout, WhereNobodySaysTheUserIsAsked) {
  const Outcome asked = log_out(from_nobody(browser_.post("/logout")));
  EXPECT_EQ(asked.kind, Outcome::Kind::answer);
  EXPECT_EQ(asked.status, 200);
  EXPECT_TRUE(logged_in());
  EXPECT_NE(World::header(asked, "Content-Security-Policy").find("frame-ancestors 'none'"),
            std::string::npos);
  const Outcome outcome = log_out(from_nobody(browser_.post(action_of(asked.body))));
  EXPECT_TRUE(redirects_to(outcome, "https://op.example.com/logout?")) << describe(outcome);
  EXPECT_FALSE(logged_in());
}

TEST_F(Logout, AConfirmationIsForOneSessionAlone) {
  Browser mallory;
  world_.log_in(mallory);
  const Outcome asked = world_.access(from_nobody(mallory.post("/logout")));
  const std::string action = action_of(asked.body);
  const Outcome outcome = log_out(from_nobody(browser_.post(action)));
  EXPECT_TRUE(denies(outcome, Errc::logout_cross_site)) << describe(outcome);
  EXPECT_TRUE(logged_in());
  // Another site that knows it may not use it either.
  const auto cross = mallory.post(action);
  cross->sec_fetch_site = "cross-site";
  EXPECT_TRUE(denies(world_.access(cross), Errc::logout_cross_site));
}

TEST_F(Logout, WithoutASessionNobodyIsAsked) {
  browser_.cookies.clear();
  EXPECT_TRUE(denies(log_out(from_nobody(browser_.post("/logout"))), Errc::logout_cross_site));
}

}  // namespace
}  // namespace oidc
