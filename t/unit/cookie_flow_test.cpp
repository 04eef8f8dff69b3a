// Sessions in cookies through the flows: login, use, refresh, logout, renewal, and what old copies of
// the cookies are worth after each of them.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <optional>
#include <string>

#include "cookie_world.h"
#include "oidc/base64url.h"

namespace oidc {
namespace {

using namespace test;
using ::testing::HasSubstr;

std::string noise(std::size_t size) { return base64url_encode(random_string(size * 3 / 4)); }

class CookieFlow : public ::testing::Test {
 protected:
  explicit CookieFlow(Settings settings = cookie_settings()) : world(std::move(settings)) {}

  World world;
  CookieGateway gateway{world};
  Browser browser;
};

TEST_F(CookieFlow, LoginPutsTheSessionIntoTheBrowserAlone) {
  const Outcome outcome = gateway.log_in(browser);
  EXPECT_TRUE(redirects_to(outcome, "https://app.example.org/")) << describe(outcome);
  EXPECT_EQ(browser.count("__Host-session"), 2U);
  for (const std::string& cookie : outcome.set_cookies) {
    if (!cookie.starts_with("__Host-session")) continue;
    EXPECT_THAT(cookie, HasSubstr("; Path=/; Secure; HttpOnly; SameSite=Lax"));
    EXPECT_LE(cookie.size(), kPartSize);
  }
  EXPECT_EQ(world.store.size(), 0U);
  EXPECT_TRUE(world.ledger.names().empty());
  const Outcome used = gateway.fetch(browser);
  ASSERT_TRUE(passes(used)) << describe(used);
  EXPECT_EQ(used.session->record().subject, "alice");
  EXPECT_TRUE(used.set_cookies.empty());
}

TEST_F(CookieFlow, UseMovesTheIdleEndOnceAMinute) {
  gateway.log_in(browser);
  const Browser unused = browser;
  gateway.later(59);
  EXPECT_EQ(cookies_set(gateway.visit(browser)), 0U);
  gateway.later(2);
  world.op.expires_in = 86'400;
  EXPECT_EQ(cookies_set(gateway.visit(browser)), 2U);
  EXPECT_EQ(cookies_set(gateway.visit(browser)), 0U);
  gateway.later(850);
  EXPECT_TRUE(starts_login(gateway.access(unused.navigate("/")))) << "not used for 15 minutes";
  EXPECT_TRUE(passes(gateway.visit(browser)));
  gateway.later(900);
  EXPECT_TRUE(starts_login(gateway.visit(browser)));
}

TEST_F(CookieFlow, RefreshSetsTheCookiesAndOldOnesFindItsResult) {
  gateway.log_in(browser);
  const Browser before = browser;
  gateway.later(241);
  const Outcome refreshed = gateway.visit(browser);
  ASSERT_TRUE(passes(refreshed)) << describe(refreshed);
  EXPECT_EQ(world.op.refreshes, 1U);
  EXPECT_EQ(cookies_set(refreshed), 2U);
  const std::string token(refreshed.session->record().access_token);
  // Requests that were sent before that answer arrived.
  for (int i = 0; i < 3; ++i) {
    const Outcome late = gateway.fetch(before);
    ASSERT_TRUE(passes(late)) << describe(late);
    EXPECT_EQ(late.session->record().access_token, token);
    EXPECT_EQ(cookies_set(late), 2U) << "the new ones, should the other answer be lost";
  }
  EXPECT_EQ(gateway.fetch(browser).session->record().access_token, token);
  EXPECT_TRUE(gateway.fetch(browser).set_cookies.empty());
  EXPECT_EQ(world.op.refreshes, 1U);
  EXPECT_FALSE(world.op.token_was_reused);
}

TEST_F(CookieFlow, ConcurrentRequestsRefreshOnce) {
  gateway.log_in(browser);
  gateway.later(241);
  CookieGateway other(world);  // another worker of the machine
  Task<Outcome> first = access_flow(gateway.worker.services, browser.fetch("/"));
  Task<Outcome> second = access_flow(other.worker.services, browser.fetch("/"));
  const auto ignore = [](void*) noexcept {};
  first.start(ignore, nullptr);
  second.start(ignore, nullptr);
  gateway.later(5);
  const Outcome one = first.take();
  const Outcome two = second.take();
  ASSERT_TRUE(passes(one)) << describe(one);
  ASSERT_TRUE(passes(two)) << describe(two);
  EXPECT_EQ(one.session->record().access_token, two.session->record().access_token);
  EXPECT_EQ(cookies_set(one), 2U);
  EXPECT_EQ(cookies_set(two), 2U);
  EXPECT_EQ(world.op.refreshes, 1U);
}

TEST_F(CookieFlow, LogoutCountsForCopiesOfTheCookiesOnEveryWorker) {
  gateway.log_in(browser);
  const Browser stolen = browser;
  CookieGateway other(world);
  EXPECT_TRUE(passes(other.fetch(stolen)));
  const Outcome outcome = gateway.log_out(browser);
  EXPECT_EQ(outcome.reason, Errc::none) << describe(outcome);
  EXPECT_EQ(browser.count("__Host-session"), 0U) << "each part is deleted";
  EXPECT_TRUE(denies(gateway.fetch(stolen), Errc::session_expired));
  EXPECT_TRUE(denies(other.fetch(stolen), Errc::session_expired));
  // As long as the cookies could live.
  gateway.later(800);
  EXPECT_TRUE(denies(other.fetch(stolen), Errc::session_expired));
}

TEST_F(CookieFlow, LogoutIsRememberedUntilTheAbsoluteEnd) {
  world.settings.session.idling_timeout = 0;
  world.settings.token.refresh = false;
  world.op.expires_in = 1'000'000;
  gateway.log_in(browser);
  const Browser stolen = browser;
  gateway.later(100);
  gateway.log_out(browser);
  for (const Seconds seconds : {3600, 80'000, 2600}) {
    gateway.later(seconds);
    EXPECT_FALSE(passes(gateway.fetch(stolen)));
  }
}

TEST_F(CookieFlow, LogoutThatCannotBeRememberedIsNone) {
  gateway.log_in(browser);
  for (const char* call : {"ledger write", "ledger read"}) {
    world.io.break_all(call, Fault::error);
    const Outcome outcome = gateway.log_out(browser);
    EXPECT_TRUE(denies(outcome, Errc::store_unavailable)) << call << " " << describe(outcome);
    EXPECT_EQ(browser.count("__Host-session"), 2U);
    world.io.repair();
    EXPECT_TRUE(passes(gateway.fetch(browser)) || std::string(call) == "ledger read");
  }
}

TEST_F(CookieFlow, WhatEndedIsAskedForEachTime) {
  gateway.log_in(browser);
  world.io.break_all("ledger read", Fault::error);
  const Outcome outcome = gateway.fetch(browser);
  EXPECT_TRUE(denies(outcome, Errc::store_unavailable)) << describe(outcome);
  EXPECT_TRUE(outcome.set_cookies.empty());
  world.io.repair();
  EXPECT_TRUE(passes(gateway.fetch(browser)));
}

// The logout comes while the provider is asked for new tokens.
TEST_F(CookieFlow, LogoutBeatsARefreshInFlight) {
  gateway.log_in(browser);
  const Browser stolen = browser;
  gateway.later(241);
  for (int at = 0; at < 60; at += 5) {
    World again(cookie_settings());
    CookieGateway machine(again);
    Browser user;
    machine.log_in(user);
    const Browser copy = user;
    machine.later(241);
    Task<Outcome> refreshing = access_flow(machine.worker.services, user.fetch("/"));
    refreshing.start([](void*) noexcept {}, nullptr);
    again.loop.advance(Milliseconds(at));
    Browser leaving = user;
    EXPECT_EQ(machine.log_out(leaving).reason, Errc::none);
    machine.later(30);
    const Outcome late = refreshing.take();
    user.take(late);
    EXPECT_FALSE(passes(machine.fetch(user))) << at;
    EXPECT_FALSE(passes(machine.fetch(copy))) << at;
  }
}

TEST_F(CookieFlow, ANewLoginEndsTheSessionBefore) {
  gateway.log_in(browser);
  const Browser before = browser;
  LoginStart start;
  start.target = "/";
  const Outcome begun = world.loop.run(
      start_login(gateway.worker.services, browser.navigate("/"), start));
  browser.take(begun);
  const Form answer = world.op.authorize(World::location(begun));
  ScriptedBody body(world.io, {});
  const std::string target = std::string(kCallbackPath) + "?" + answer.encode();
  browser.take(world.loop.run(
      callback_flow({&gateway.worker.services}, browser.navigate(target), body)));
  gateway.later(1);
  EXPECT_TRUE(passes(gateway.fetch(before))) << "requests in flight";
  EXPECT_TRUE(passes(gateway.fetch(browser)));
  gateway.later(10);
  EXPECT_FALSE(passes(gateway.fetch(before)));
  EXPECT_TRUE(passes(gateway.fetch(browser)));
}

TEST_F(CookieFlow, ALoginThatDoesNotFitFailsWithSizesAndAdvice) {
  world.op.edit_id_token = [](Json& claims) { claims["groups"] = noise(9000); };
  const Outcome outcome = gateway.log_in(browser);
  EXPECT_TRUE(denies(outcome, Errc::session_too_large)) << describe(outcome);
  EXPECT_THAT(outcome.detail, HasSubstr("oidc_session_storage allows 6144 bytes"));
  EXPECT_THAT(outcome.detail, HasSubstr("ID token 1"));
  EXPECT_THAT(outcome.detail, HasSubstr("fewer scopes"));
  EXPECT_THAT(outcome.detail, HasSubstr("large_client_header_buffers"));
  EXPECT_EQ(cookies_set(outcome), 0U);
  EXPECT_EQ(browser.count("__Host-session"), 0U);
  EXPECT_TRUE(world.ledger.names().empty());
}

TEST_F(CookieFlow, TokensThatDoNotFitAfterARefreshEndTheSession) {
  gateway.log_in(browser);
  const Browser before = browser;
  gateway.later(241);
  world.op.edit_tokens = [](Json& tokens) { tokens["scope"] = noise(9000); };
  const Outcome outcome = gateway.visit(browser);
  EXPECT_TRUE(starts_login(outcome)) << describe(outcome);
  EXPECT_EQ(world.log.count(Errc::session_too_large), 1U);
  EXPECT_FALSE(passes(gateway.fetch(before)));
}

TEST_F(CookieFlow, ALargerSessionHasMorePartsAndASmallerOneFewerAgain) {
  gateway.log_in(browser);
  EXPECT_EQ(browser.count("__Host-session_"), 1U);
  gateway.later(241);
  world.op.edit_tokens = [](Json& tokens) { tokens["scope"] = noise(3500); };
  EXPECT_TRUE(passes(gateway.visit(browser)));
  EXPECT_EQ(browser.count("__Host-session_"), 2U);
  EXPECT_TRUE(passes(gateway.fetch(browser)));
  world.op.edit_tokens = nullptr;
  gateway.later(241);
  const Outcome shrunk = gateway.visit(browser);
  EXPECT_TRUE(passes(shrunk));
  EXPECT_EQ(browser.count("__Host-session_"), 1U) << "the old part was removed";
  EXPECT_TRUE(passes(gateway.fetch(browser)));
}

TEST_F(CookieFlow, PartsThatAreMissingOrOfAnotherVersionAreNoSession) {
  gateway.log_in(browser);
  Browser first = browser;
  gateway.later(241);
  world.op.edit_tokens = [](Json& tokens) { tokens["scope"] = noise(3500); };
  gateway.visit(browser);
  Browser mixed = browser;
  mixed.cookies["__Host-session_1"] = first.cookies["__Host-session_1"];
  EXPECT_TRUE(passes(gateway.fetch(mixed))) << "a whole version, and a part of another";
  mixed = browser;
  mixed.cookies["__Host-session_2"] = first.cookies["__Host-session_1"];
  EXPECT_TRUE(denies(gateway.fetch(mixed), Errc::session_record_invalid));
  Browser without = browser;
  without.cookies.erase("__Host-session_1");
  EXPECT_TRUE(denies(gateway.fetch(without), Errc::session_record_invalid));
  without = browser;
  without.cookies.erase("__Host-session");
  EXPECT_TRUE(denies(gateway.fetch(without), Errc::unauthenticated));
  Browser stranger;
  gateway.log_in(stranger);
  Browser crossed = stranger;
  crossed.cookies["__Host-session"] = browser.cookies["__Host-session"];
  EXPECT_TRUE(denies(gateway.fetch(crossed), Errc::session_record_invalid));
  EXPECT_TRUE(passes(gateway.fetch(browser)));
}

TEST_F(CookieFlow, OfTwoSessionsNeitherIsUsedAndALogoutEndsBoth) {
  gateway.log_in(browser);
  Browser other;
  gateway.log_in(other);
  auto both = browser.fetch("/");
  both->cookie_headers.push_back(other.fetch("/")->cookie_headers.front());
  EXPECT_TRUE(denies(gateway.access(both), Errc::cookie_conflict));
  auto leaving = browser.post("/logout");
  leaving->cookie_headers = both->cookie_headers;
  EXPECT_EQ(gateway.access(leaving).reason, Errc::none);
  EXPECT_FALSE(passes(gateway.fetch(browser)));
  EXPECT_FALSE(passes(gateway.fetch(other)));
}

TEST_F(CookieFlow, TwoGatewaysNeedNothingInCommonButTheSecret) {
  MemoryLedger elsewhere(world.loop, world.io);
  CookieGateway other(world, elsewhere);
  gateway.log_in(browser);
  EXPECT_TRUE(passes(other.visit(browser)));
  gateway.later(241);
  EXPECT_TRUE(passes(other.visit(browser)));
  EXPECT_TRUE(passes(gateway.visit(browser)));
  gateway.later(241);
  EXPECT_TRUE(passes(gateway.visit(browser)));
  EXPECT_TRUE(passes(other.visit(browser)));
  EXPECT_EQ(world.op.refreshes, 2U);
  EXPECT_FALSE(world.op.token_was_reused);
}

// A version that the other machine made is newer than what this one knows of the one before.
TEST_F(CookieFlow, WhatAnotherMachineRefreshedIsNotTakenBack) {
  MemoryLedger elsewhere(world.loop, world.io);
  CookieGateway other(world, elsewhere);
  world.op.expires_in = 40;
  gateway.log_in(browser);
  gateway.later(31);
  EXPECT_TRUE(passes(gateway.visit(browser)));
  gateway.later(31);
  const Outcome second = other.visit(browser);
  ASSERT_TRUE(passes(second));
  EXPECT_EQ(world.op.refreshes, 2U);
  const Outcome third = gateway.visit(browser);
  EXPECT_EQ(third.session->record().access_token, second.session->record().access_token);
}

TEST_F(CookieFlow, TheHotPathOpensOnceAndSeesWhatEnds) {
  class AtHand final : public LedgerAtHand {
   public:
    explicit AtHand(MemoryLedger& ledger) : ledger_(ledger) {}
    bool holds(std::string_view name) override { return ledger_.find(std::string(name)) != nullptr; }

   private:
    MemoryLedger& ledger_;
  } at_hand(world.ledger);
  gateway.log_in(browser);
  EXPECT_EQ(gateway.at_hand(browser), nullptr) << "what ended has to be asked for";
  CookieStore store(world.ledger, &at_hand, world.loop,
                    {Milliseconds(86'400'000), Milliseconds(86'400'000), 1024 * 1024});
  gateway.worker.services.in_cookies = &store;
  const auto opened = gateway.at_hand(browser);
  ASSERT_NE(opened, nullptr);
  EXPECT_EQ(gateway.at_hand(browser), opened);
  Browser tampered = browser;
  std::string& value = tampered.cookies["__Host-session_1"].value;
  value[200] = value[200] == 'A' ? 'B' : 'A';
  EXPECT_EQ(gateway.at_hand(tampered), nullptr);
  EXPECT_EQ(gateway.at_hand(browser), opened);
  gateway.later(60);
  EXPECT_EQ(gateway.at_hand(browser), nullptr) << "the idle end has to be moved";
  gateway.visit(browser);
  EXPECT_NE(gateway.at_hand(browser), nullptr);
  const Browser before = browser;
  gateway.later(181);
  gateway.visit(browser);
  EXPECT_NE(gateway.at_hand(browser), nullptr);
  EXPECT_EQ(gateway.at_hand(before), nullptr) << "there is a newer version";
  const Browser stolen = browser;
  gateway.log_out(browser);
  EXPECT_EQ(gateway.at_hand(stolen), nullptr);
}

class CookieRenewal : public CookieFlow {
 protected:
  CookieRenewal() : CookieFlow(settings()) {
    world.op.expires_in = 86'400;
    gateway.log_in(browser);
    before = browser;
    gateway.later(2700);
  }
  static Settings settings() {
    Settings settings = cookie_settings();
    settings.session.rolling_timeout = 3600;
    settings.session.idling_timeout = 0;
    return settings;
  }
  Browser before;
};

TEST_F(CookieRenewal, TheOldSidLeadsToTheNewOneAndEnds) {
  const Outcome renewed = gateway.visit(browser);
  ASSERT_TRUE(passes(renewed)) << describe(renewed);
  EXPECT_EQ(cookies_set(renewed), 2U);
  EXPECT_NE(browser.cookies["__Host-session"].value, before.cookies["__Host-session"].value);
  const Outcome late = gateway.fetch(before);
  ASSERT_TRUE(passes(late)) << describe(late);
  EXPECT_EQ(late.session->key(), renewed.session->key());
  EXPECT_TRUE(passes(gateway.fetch(browser)));
  gateway.later(12);
  EXPECT_TRUE(denies(gateway.fetch(before), Errc::session_expired));
  gateway.later(600);
  EXPECT_TRUE(denies(gateway.fetch(before), Errc::session_expired));
  EXPECT_TRUE(passes(gateway.fetch(browser)));
}

TEST_F(CookieRenewal, ALogoutByEitherCookieEndsBoth) {
  gateway.visit(browser);
  Browser leaving = before;
  EXPECT_EQ(gateway.log_out(leaving).reason, Errc::none);
  EXPECT_FALSE(passes(gateway.fetch(before)));
  EXPECT_FALSE(passes(gateway.fetch(browser)));
}

TEST_F(CookieRenewal, ARefreshUnderTheNewSidIsSeenUnderTheOldOne) {
  world.op.expires_in = 300;
  world.settings.token.refresh_before = 60;
  gateway.visit(browser);
  EXPECT_EQ(world.op.refreshes, 0U);
  world.settings.token.refresh_before = 86'400;  // now it is due
  gateway.later(1);
  const Outcome refreshed = gateway.visit(browser);
  ASSERT_TRUE(passes(refreshed));
  const std::size_t refreshes = world.op.refreshes;
  const Outcome late = gateway.fetch(before);
  ASSERT_TRUE(passes(late)) << describe(late);
  EXPECT_EQ(late.session->record().access_token, refreshed.session->record().access_token);
  EXPECT_EQ(world.op.refreshes, refreshes);
  EXPECT_FALSE(world.op.token_was_reused);
}

}  // namespace
}  // namespace oidc
