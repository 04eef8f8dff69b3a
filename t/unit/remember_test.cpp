// oidc_session_remember: a cookie that makes sessions, and what its record may hold.
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "flow/remember.h"
#include "flows_everywhere.h"

namespace oidc {
namespace {

using namespace test;

constexpr std::string_view kRemember = "__Host-remember";

Settings remember_settings() {
  Settings settings = sample_settings();
  settings.session.remember.on = true;
  settings.session.remember.cookie.name = "remember";
  settings.logout.uri_suffix = "/logout";
  return settings;
}

class Remember : public testing::Test {
 protected:
  explicit Remember(Settings settings = remember_settings()) : world_(std::move(settings)) {
    world_.op.expires_in = 3600;
    login_ = world_.log_in(browser_);
    world_.settle();
  }
  ~Remember() override { world_.loop.cancel_tasks(); }

  void later(Seconds seconds) { world_.loop.advance(Milliseconds(seconds * 1000)); }
  // The browser was closed: session cookies are gone, persistent ones are not.
  [[nodiscard]] Browser reopened() const {
    Browser browser = browser_;
    browser.cookies.erase(std::string(kCookieName));
    return browser;
  }
  // The record behind the browser's remember cookie.
  [[nodiscard]] std::shared_ptr<const OpenSession> copy_of(const Browser& browser) {
    const auto cookie = remember_cookie_of(world_.worker.services, *browser.navigate("/"));
    if (!cookie) return nullptr;
    const StoreKey key = store_key(cookie->sid_view());
    if (!world_.store.has(key)) return nullptr;
    auto opened = open_session(world_.store.envelope(key), *cookie, key, world_.keys.remember(),
                               world_.settings.identity);
    return opened ? *opened : nullptr;
  }

  World world_;
  Browser browser_;
  Outcome login_;
};

TEST_F(Remember, ALoginSetsAPersistentCookie) {
  ASSERT_EQ(browser_.count(kRemember), 1U);
  const Browser::Cookie& cookie = browser_.cookies.at(std::string(kRemember));
  EXPECT_NE(cookie.attributes.find("Max-Age=604800"), std::string::npos) << cookie.attributes;
  EXPECT_NE(cookie.attributes.find("HttpOnly"), std::string::npos);
  EXPECT_NE(cookie.attributes.find("SameSite=Lax"), std::string::npos);
  EXPECT_NE(cookie.value, browser_.cookies.at(std::string(kCookieName)).value);
  ASSERT_NE(copy_of(browser_), nullptr);
  EXPECT_EQ(copy_of(browser_)->record().subject, "alice");
}

TEST_F(Remember, ItIsNoSessionCookie) {
  Browser thief;
  thief.cookies[std::string(kCookieName)] = browser_.cookies.at(std::string(kRemember));
  EXPECT_TRUE(denies(world_.access(thief.fetch("/")), Errc::session_invalid));
  Browser other;
  other.cookies[std::string(kRemember)] = browser_.cookies.at(std::string(kCookieName));
  EXPECT_TRUE(denies(world_.access(other.fetch("/")), Errc::unauthenticated));
}

TEST_F(Remember, MakesASessionWhenItsOwnHasEnded) {
  later(86'400);
  const Outcome outcome = world_.visit(browser_, "/");
  ASSERT_TRUE(passes(outcome)) << describe(outcome);
  EXPECT_EQ(outcome.session->record().subject, "alice");
  EXPECT_EQ(outcome.session->record().auth_time, 0);
  EXPECT_EQ(outcome.session->record().created, world_.loop.now());
  EXPECT_EQ(outcome.set_cookies.size(), 2U);
  EXPECT_TRUE(passes(world_.visit(browser_, "/")));
  EXPECT_EQ(world_.op.refreshes, 1U);  // its token was old
  EXPECT_FALSE(world_.op.token_was_reused);
}

TEST_F(Remember, MakesOneWhenTheBrowserWasClosed) {
  Browser browser = reopened();
  const StoreKey before = world_.session_of(browser_)->key();
  const Outcome outcome = world_.visit(browser, "/");
  ASSERT_TRUE(passes(outcome)) << describe(outcome);
  world_.settle();
  EXPECT_FALSE(world_.store.has(before)) << "its tokens belong to the new session";
}

TEST_F(Remember, IsRotatedWhenUsed) {
  Browser browser = reopened();
  const std::string old = browser.cookies.at(std::string(kRemember)).value;
  ASSERT_TRUE(passes(world_.visit(browser, "/")));
  EXPECT_NE(browser.cookies.at(std::string(kRemember)).value, old);
  later(11);
  Browser thief = reopened();
  EXPECT_TRUE(denies(world_.access(thief.fetch("/")), Errc::unauthenticated));
  EXPECT_TRUE(passes(world_.visit(browser, "/")));
}

TEST_F(Remember, ManyTabsGetOneSession) {
  later(86'400);
  std::vector<std::unique_ptr<Root<Outcome>>> tabs;
  for (int i = 0; i < 10; ++i) {
    tabs.push_back(std::make_unique<Root<Outcome>>(
        access_flow(world_.worker.services, browser_.navigate("/"))));
    world_.loop.step();
  }
  world_.settle();
  std::size_t cookies = 0;
  for (const auto& tab : tabs) {
    ASSERT_TRUE(tab->ended());
    const Outcome outcome = tab->take();
    ASSERT_TRUE(passes(outcome)) << describe(outcome);
    cookies += outcome.set_cookies.size();
  }
  EXPECT_EQ(cookies, 2U);
  EXPECT_EQ(world_.io.count("POST /token"), 2U);  // the login's and one refresh
  EXPECT_FALSE(world_.op.token_was_reused);
}

TEST_F(Remember, EndsAfterItsOwnTimes) {
  later(604'800);
  EXPECT_TRUE(starts_login(world_.visit(browser_, "/")));
}

TEST_F(Remember, ItsAbsoluteEndStaysThroughRotations) {
  for (Seconds day = 0; day < 29; day += 2) {
    later(2 * 86'400 - 10);
    ASSERT_TRUE(passes(world_.visit(browser_, "/"))) << day;
    world_.settle();
  }
  later(2 * 86'400);
  EXPECT_TRUE(starts_login(world_.visit(browser_, "/")));
}

TEST_F(Remember, NeverSatisfiesMaxAge) {
  world_.settings.authorization.max_age = 1'000'000;
  later(86'400);
  EXPECT_TRUE(starts_login(world_.visit(browser_, "/")));
}

TEST_F(Remember, ALogoutForgets) {
  const Browser before = browser_;
  const Outcome out = world_.access(browser_.post("/logout"));
  EXPECT_TRUE(redirects_to(out, "https://op.example.com/logout?"));
  browser_.take(out);
  EXPECT_EQ(browser_.count(kRemember), 0U);
  EXPECT_EQ(world_.store.size(), 0U);
  EXPECT_TRUE(denies(world_.access(before.fetch("/")), Errc::session_expired));
}

TEST_F(Remember, ALogoutWithoutASessionForgetsToo) {
  later(86'400);
  const Outcome out = world_.access(browser_.post("/logout"));
  EXPECT_NE(out.kind, Outcome::Kind::deny) << describe(out);
  EXPECT_EQ(world_.store.size(), 0U);
}

TEST_F(Remember, ARefreshWritesTheCopyToo) {
  later(800);
  ASSERT_TRUE(passes(world_.visit(browser_, "/")));
  world_.op.expires_in = 3600;
  for (int i = 0; i < 4; ++i) {
    later(690);
    ASSERT_TRUE(passes(world_.visit(browser_, "/")));
  }
  world_.settle();
  ASSERT_EQ(world_.op.refreshes, 1U);
  const auto copy = copy_of(browser_);
  ASSERT_NE(copy, nullptr);
  EXPECT_EQ(copy->record().access_token, "access-3");
  Browser browser = reopened();
  ASSERT_TRUE(passes(world_.visit(browser, "/")));
  EXPECT_FALSE(world_.op.token_was_reused);
}

// Stopped at any point, the copy holds no token that was sent.
TEST_F(Remember, NoCopyOfARefreshTokenThatWasSent) {
  for (std::size_t steps = 0; steps < 60; ++steps) {
    World world(remember_settings());
    Browser browser;
    world.log_in(browser);
    world.loop.advance(Milliseconds(250'000));
    {
      Root<Outcome> root(access_flow(world.worker.services, browser.navigate("/")));
      for (std::size_t i = 0; i < steps && world.loop.step(); ++i) {}
      world.loop.cancel_tasks();  // the worker dies
      root.cancel();
    }
    Browser other = browser;
    other.cookies.erase(std::string(kCookieName));
    world.loop.advance(Milliseconds(61'000));
    ScriptedWorker next(world.settings, world.loop, world.io, world.op, world.store, world.ledger,
                        world.shared, world.keys, world.log);
    world.loop.run(access_flow(next.services, other.navigate("/")));
    world.settle();
    EXPECT_FALSE(world.op.token_was_reused) << "after step " << steps;
  }
}

// The cookie is used while its session's refresh is under way, and the other way round.
TEST_F(Remember, ARefreshAndAUseAtOnceSendNoTokenTwice) {
  for (const bool refresh_first : {true, false}) {
    bool overlapped = true;
    for (std::size_t steps = 0; overlapped; ++steps) {
      ASSERT_LT(steps, 1000U);
      SCOPED_TRACE((refresh_first ? "use after step " : "refresh after step ") +
                   std::to_string(steps));
      World world(remember_settings());
      Browser browser;
      world.log_in(browser);
      world.loop.advance(Milliseconds(250'000));
      Browser other = browser;
      other.cookies.erase(std::string(kCookieName));
      const auto begin = [&](bool refresh) {
        return access_flow(world.worker.services, (refresh ? browser : other).navigate("/"));
      };
      Root<Outcome> a(begin(refresh_first));
      for (std::size_t i = 0; i < steps && !a.ended(); ++i) ASSERT_TRUE(world.loop.step());
      overlapped = !a.ended();
      Root<Outcome> b(begin(!refresh_first));
      world.settle();
      ASSERT_TRUE(a.ended() && b.ended());
      const Outcome use = refresh_first ? b.take() : a.take();
      EXPECT_TRUE(passes(use)) << describe(use);
      EXPECT_FALSE(world.op.token_was_reused);
      world.loop.advance(Milliseconds(300'000));
      other.take(use);
      EXPECT_TRUE(passes(world.visit(other, "/")));
      EXPECT_FALSE(world.op.token_was_reused);
    }
  }
}

TEST_F(Remember, LogoutBeatsAUse) {
  bool overlapped = true;
  for (std::size_t steps = 0; overlapped; ++steps) {
    ASSERT_LT(steps, 1000U);
    SCOPED_TRACE(steps);
    World world(remember_settings());
    Browser browser;
    world.log_in(browser);
    world.loop.advance(Milliseconds(1000));
    Browser other = browser;
    other.cookies.erase(std::string(kCookieName));
    Root<Outcome> a(access_flow(world.worker.services, other.navigate("/")));
    for (std::size_t i = 0; i < steps && !a.ended(); ++i) ASSERT_TRUE(world.loop.step());
    overlapped = !a.ended();
    Root<Outcome> b(access_flow(world.worker.services, browser.post("/logout")));
    world.settle();
    ASSERT_TRUE(a.ended() && b.ended());
    EXPECT_TRUE(redirects_to(b.take(), "https://op.example.com/logout?"));
    EXPECT_EQ(world.store.size(), 0U);
    other.take(a.take());
    EXPECT_TRUE(starts_login(world.access(other.navigate("/"))));
  }
}

TEST_F(Remember, AStoreErrorIsNoLogin) {
  later(86'400);
  for (const char* call : {"store", "ledger add"}) {
    world_.io.break_all(call, Fault::error);
    const Outcome outcome = world_.access(browser_.navigate("/"));
    EXPECT_TRUE(denies(outcome, Errc::store_unavailable)) << call << " " << describe(outcome);
    world_.io.repair();
  }
  EXPECT_TRUE(passes(world_.visit(browser_, "/")));
}

TEST_F(Remember, ANewLoginForgetsTheOldCookie) {
  const Browser before = reopened();
  later(1);
  LoginStart start;
  start.target = "/wanted";
  const Outcome begun =
      world_.loop.run(start_login(world_.worker.services, browser_.navigate("/wanted"), start));
  browser_.take(begun);
  const Outcome back = world_.come_back(browser_, world_.op.authorize(World::location(begun)));
  ASSERT_TRUE(redirects_to(back, "https://app.example.org/wanted")) << describe(back);
  world_.settle();
  later(11);
  EXPECT_TRUE(denies(world_.access(before.fetch("/")), Errc::unauthenticated));
}

TEST_F(Remember, CookiesThatWereTamperedWithAreNone) {
  later(86'400);
  const std::string value = browser_.cookies.at(std::string(kRemember)).value;
  Browser thief;
  std::size_t tried = 0;
  const auto expect_nobody = [&](const std::string& forged) {
    if (forged.find_first_of(";, \"\\") != std::string::npos) return;
    thief.cookies[std::string(kRemember)] = {forged, "; SameSite=Lax"};
    const Outcome outcome = world_.access(thief.fetch("/"));
    EXPECT_EQ(outcome.kind, Outcome::Kind::deny);
    ++tried;
  };
  for_each_bit_flip(value, [&](const std::string& forged, std::size_t) { expect_nobody(forged); });
  for (std::size_t size = 0; size < value.size(); ++size) expect_nobody(value.substr(0, size));
  expect_nobody(value + value);
  EXPECT_GT(tried, 400U);
  thief.cookies[std::string(kRemember)] = {value, "; SameSite=Lax"};
  EXPECT_TRUE(passes(world_.access(thief.fetch("/"))));
}

}  // namespace
}  // namespace oidc
