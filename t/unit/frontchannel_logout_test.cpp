#include <gtest/gtest.h>

#include <string>

#include "flows_everywhere.h"
#include "oidc/logout_flows.h"

namespace oidc {
namespace {

using namespace test;

class Frontchannel : public testing::Test {
 protected:
  Frontchannel() {
    world_.log_in(browser_);
    world_.loop.advance(Milliseconds(1000));
    world_.settle();
    world_.io.forget();
  }
  // An iframe in the provider's page: Lax cookies stay at home, as in a new browser.
  Outcome frame(const std::string& query, const Browser& browser = {}) {
    auto facts = browser.navigate("/frontchannel" + (query.empty() ? "" : "?" + query));
    facts->sec_fetch_dest = "iframe";
    facts->sec_fetch_site = "cross-site";
    return world_.loop.run(frontchannel_logout_flow({&world_.worker.services}, facts));
  }
  static std::string named(std::string_view issuer, std::string_view sid) {
    Form form;
    form.add("iss", issuer);
    form.add("sid", sid);
    return form.encode();
  }
  static void expect_page(const Outcome& outcome) {
    EXPECT_EQ(outcome.kind, Outcome::Kind::answer) << describe(outcome);
    EXPECT_EQ(outcome.status, 200);
    EXPECT_EQ(World::header(outcome, "Cache-Control"), "no-store");
    EXPECT_TRUE(World::header(outcome, "Content-Security-Policy")
                    .ends_with("frame-ancestors https://op.example.com"));
    EXPECT_TRUE(outcome.content_type.starts_with("text/html"));
    EXPECT_LT(outcome.body.size(), 300U);
  }
  [[nodiscard]] bool logged_in() { return world_.session_of(browser_) != nullptr; }

  World world_;
  Browser browser_;
};

TEST_F(Frontchannel, IssuerAndSidEndByTheIndex) {
  const Outcome outcome = frame(named(kIssuer, "provider-session"));
  expect_page(outcome);
  EXPECT_TRUE(outcome.set_cookies.empty());
  EXPECT_FALSE(logged_in());
  EXPECT_EQ(world_.io.count("POST"), 0U);  // nothing is revoked
}

TEST_F(Frontchannel, TheCookieOfThatSessionGoes) {
  const Outcome outcome = frame(named(kIssuer, "provider-session"), browser_);
  expect_page(outcome);
  ASSERT_EQ(outcome.set_cookies.size(), 1U);
  EXPECT_NE(outcome.set_cookies[0].find("Max-Age=0"), std::string::npos);
  EXPECT_FALSE(logged_in());
}

TEST_F(Frontchannel, AnotherSessionsCookieStays) {
  const Outcome outcome = frame(named(kIssuer, "another"), browser_);
  expect_page(outcome);
  EXPECT_TRUE(outcome.set_cookies.empty());
  EXPECT_TRUE(logged_in());
}

TEST_F(Frontchannel, WithoutParametersTheSessionThatCameAlong) {
  expect_page(frame(""));
  EXPECT_TRUE(logged_in());
  const Outcome outcome = frame("", browser_);
  expect_page(outcome);
  EXPECT_EQ(outcome.set_cookies.size(), 1U);
  EXPECT_FALSE(logged_in());
}

// A page anywhere may send the browser here, and a Lax cookie goes along.
TEST_F(Frontchannel, ANavigationOfAnotherSiteEndsNothing) {
  for (const char* site : {"cross-site", "same-site", ""}) {
    auto facts = browser_.navigate("/frontchannel");
    facts->sec_fetch_site = site;
    if (*site == '\0') facts->sec_fetch_dest = facts->sec_fetch_mode = "";
    const Outcome outcome =
        world_.loop.run(frontchannel_logout_flow({&world_.worker.services}, facts));
    EXPECT_TRUE(outcome.set_cookies.empty()) << site;
    EXPECT_TRUE(logged_in()) << site;
  }
}

TEST_F(Frontchannel, WhatIsWrongEndsNothing) {
  const std::string good = named(kIssuer, "provider-session");
  EXPECT_TRUE(denies(frame(named("https://evil.example", "provider-session")),
                     Errc::parameter_malformed));
  EXPECT_TRUE(denies(frame("sid=provider-session"), Errc::parameter_missing));
  EXPECT_TRUE(denies(frame("iss=https://op.example.com"), Errc::parameter_missing));
  EXPECT_TRUE(denies(frame(good + "&sid=another"), Errc::parameter_duplicated));
  EXPECT_TRUE(denies(frame("iss=%zz"), Errc::parameter_malformed));
  auto post = browser_.post("/frontchannel?" + good);
  EXPECT_EQ(world_.loop.run(frontchannel_logout_flow({&world_.worker.services}, post)).status, 405);
  EXPECT_TRUE(logged_in());
}

// Anybody may ask: nothing is written for a session that nobody has.
TEST_F(Frontchannel, StrangersWriteNothing) {
  const std::size_t before = world_.ledger.names().size();
  for (int i = 0; i < 50; ++i) expect_page(frame(named(kIssuer, "sid-" + std::to_string(i))));
  EXPECT_EQ(world_.ledger.names().size(), before);
  EXPECT_EQ(world_.io.count("ledger write"), 0U);
}

TEST_F(Frontchannel, AStoreThatIsDownIsSaid) {
  for (const char* call : {"ledger members", "ledger write", "store erase"}) {
    world_.io.break_all(call, Fault::error);
    EXPECT_TRUE(denies(frame(named(kIssuer, "provider-session")), Errc::store_unavailable)) << call;
    EXPECT_TRUE(logged_in());
    world_.io.repair();
  }
  world_.io.break_all("store", Fault::error);
  const Outcome outcome = frame("", browser_);
  EXPECT_TRUE(denies(outcome, Errc::store_unavailable));
  EXPECT_TRUE(outcome.set_cookies.empty());
}

TEST_F(Frontchannel, CancelledAtEachStepItHarmsNobody) {
  bool ended = false;
  std::size_t steps = 0;
  for (; !ended; ++steps) {
    ASSERT_LT(steps, 100U);
    World world;
    Browser browser;
    world.log_in(browser);
    world.settle();
    auto facts = browser.navigate("/frontchannel?" + named(kIssuer, "provider-session"));
    Root<Outcome> root(frontchannel_logout_flow({&world.worker.services}, facts));
    for (std::size_t i = 0; i < steps && !root.ended(); ++i) ASSERT_TRUE(world.loop.step());
    ended = root.ended();
    root.cancel();
    world.settle();
    expect_quiet(world);
  }
  EXPECT_GE(steps, 5U);
}

}  // namespace
}  // namespace oidc
