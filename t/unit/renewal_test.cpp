// oidc_session_rolling_timeout: when a sid ends, when it is renewed, by whom, and what is left of the
// old one.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "flows_everywhere.h"

namespace oidc {
namespace {

using namespace test;

constexpr Seconds kRolling = 3600;
constexpr Seconds kDue = 2700;

Settings rolling_settings() {
  Settings settings = sample_settings();
  settings.session.rolling_timeout = kRolling;
  settings.session.idling_timeout = 0;
  settings.logout.uri_suffix = "/logout";
  return settings;
}

// A session whose tokens need nothing for a day.
class RenewalWorld {
 public:
  explicit RenewalWorld(Settings settings = rolling_settings()) : world(std::move(settings)) {
    world.op.expires_in = 86'400;
    world.log_in(browser);
    first = world.session_of(browser);
  }
  void later(Seconds seconds) { world.loop.advance(Milliseconds(seconds * 1000)); }
  // One of the concurrent requests: the browser keeps its cookies.
  [[nodiscard]] Outcome fetch() { return world.access(browser.fetch("/")); }

  World world;
  Browser browser;
  std::shared_ptr<const OpenSession> first;
};

std::size_t session_cookies(const Outcome& outcome) {
  std::size_t found = 0;
  for (const std::string& cookie : outcome.set_cookies) found += cookie.starts_with(kCookieName);
  return found;
}

TEST(Rolling, IsTheLifeOfOneSid) {
  const Settings settings = rolling_settings();
  const SessionRecord record = sample_record();
  EXPECT_FALSE(has_ended(record, settings, kNow + kRolling - 1));
  EXPECT_TRUE(has_ended(record, settings, kNow + kRolling));
  EXPECT_FALSE(is_alive(record, settings, kNow + kRolling));
}

TEST(Rolling, ZeroIsOffAndAddsNothingToTheOthers) {
  Settings settings = rolling_settings();
  settings.session.rolling_timeout = 0;
  const SessionRecord record = sample_record();
  EXPECT_FALSE(has_ended(record, settings, kNow + 86'399));
  EXPECT_FALSE(is_renewal_due(record, settings, kNow + 86'399));
  settings.session.absolute_timeout = 100;
  EXPECT_TRUE(has_ended(record, settings, kNow + 100));
}

TEST(Rolling, IsRenewedAfterThreeQuarters) {
  Settings settings = rolling_settings();
  SessionRecord record = sample_record();
  EXPECT_FALSE(is_renewal_due(record, settings, kNow + kDue - 1));
  EXPECT_TRUE(is_renewal_due(record, settings, kNow + kDue));
  record.next_sid = "0123456789abcdef";
  EXPECT_FALSE(is_renewal_due(record, settings, kNow + kDue));
  record.next_sid = {};
  settings.session.rolling_timeout = 1;
  EXPECT_FALSE(is_renewal_due(record, settings, kNow));
  EXPECT_TRUE(is_renewal_due(record, settings, kNow + 1));
}

TEST(RecordTtl, IsTheNearestEnd) {
  SessionSettings session;
  SessionRecord record = sample_record();
  const auto ttl = [&](Seconds rolling, Seconds idling, Seconds absolute_end) {
    session.rolling_timeout = rolling;
    session.idling_timeout = idling;
    record.absolute_end = absolute_end;
    return record_ttl(record, session, kNow + 10).count() / 1000;
  };
  EXPECT_EQ(ttl(3600, 900, kNow + 86'400), 900);
  EXPECT_EQ(ttl(600, 900, kNow + 86'400), 590);
  EXPECT_EQ(ttl(3600, 900, kNow + 110), 100);
  EXPECT_EQ(ttl(3600, 0, kNow + 86'400), 3590);
  EXPECT_EQ(ttl(3600, 0, 0), 3590);
  EXPECT_EQ(ttl(0, 0, kNow + 86'400), 86'390);
  EXPECT_EQ(ttl(0, 900, 0), 900);
  EXPECT_GT(ttl(0, 0, 0), 365 * 86'400);
  EXPECT_LE(ttl(10, 900, kNow + 86'400), 0);
}

TEST(Renewal, NotBeforeItIsDue) {
  RenewalWorld rolling;
  rolling.later(kDue - 1);
  const Outcome outcome = rolling.fetch();
  ASSERT_TRUE(passes(outcome)) << describe(outcome);
  EXPECT_TRUE(outcome.set_cookies.empty());
  EXPECT_EQ(outcome.session->key(), rolling.first->key());
}

TEST(Renewal, AnsweredWithANewCookieAndTheSameSession) {
  RenewalWorld rolling;
  rolling.later(kDue);
  const Outcome outcome = rolling.world.visit(rolling.browser, "/");
  ASSERT_TRUE(passes(outcome)) << describe(outcome);
  EXPECT_EQ(session_cookies(outcome), 1U);
  const auto renewed = rolling.world.session_of(rolling.browser);
  ASSERT_NE(renewed, nullptr);
  EXPECT_NE(renewed->key(), rolling.first->key());
  EXPECT_EQ(renewed->record().previous, rolling.first->key().view());
  EXPECT_EQ(renewed->record().sid_since, rolling.world.loop.now());
  EXPECT_EQ(renewed->record().created, rolling.first->record().created);
  EXPECT_EQ(renewed->record().absolute_end, rolling.first->record().absolute_end);
  EXPECT_EQ(renewed->record().access_token, rolling.first->record().access_token);
  EXPECT_EQ(renewed->record().refresh_token, rolling.first->record().refresh_token);
  EXPECT_EQ(renewed->record().id_token, rolling.first->record().id_token);
  EXPECT_EQ(renewed->cookie().absolute_end, rolling.first->cookie().absolute_end);
  EXPECT_LE(rolling.world.store.ttl(renewed->key()), Milliseconds(kRolling * 1000));
  EXPECT_GT(rolling.world.store.ttl(renewed->key()), Milliseconds((kRolling - 1) * 1000));
}

TEST(Renewal, TheNewSidGetsItsShareOfTheAbsoluteLife) {
  Settings settings = rolling_settings();
  settings.session.absolute_timeout = 4000;
  RenewalWorld rolling(std::move(settings));
  rolling.later(kDue);
  const Outcome outcome = rolling.world.visit(rolling.browser, "/");
  EXPECT_LE(rolling.world.store.ttl(outcome.session->key()), Milliseconds(1300 * 1000));
  rolling.later(1301);
  EXPECT_TRUE(starts_login(rolling.world.visit(rolling.browser, "/")));
}

TEST(Renewal, GoesOnForEver) {
  Settings settings = rolling_settings();
  settings.session.absolute_timeout = 0;
  settings.token.refresh = false;
  RenewalWorld rolling(std::move(settings));
  for (int i = 0; i < 20; ++i) {
    rolling.later(kDue);
    ASSERT_TRUE(passes(rolling.world.visit(rolling.browser, "/"))) << i;
    rolling.world.settle();
    rolling.later(11);
    EXPECT_EQ(rolling.world.store.size(), 1U);
  }
}

TEST(Renewal, ASidNobodyUsedInTimeHasEnded) {
  RenewalWorld rolling;
  rolling.later(kRolling);
  EXPECT_TRUE(starts_login(rolling.world.visit(rolling.browser, "/")));
}

TEST(Renewal, TheOldSidWorksForTenSeconds) {
  RenewalWorld rolling;
  rolling.later(kDue);
  Browser renewed = rolling.browser;
  const Outcome first = rolling.world.visit(renewed, "/");
  const StoreKey key = first.session->key();
  rolling.later(9);
  const Outcome late = rolling.fetch();
  ASSERT_TRUE(passes(late)) << describe(late);
  EXPECT_EQ(late.session->key(), key);
  EXPECT_EQ(late.session->record().access_token, rolling.first->record().access_token);
  EXPECT_EQ(session_cookies(late), 0U);
  rolling.later(1);
  EXPECT_TRUE(denies(rolling.fetch(), Errc::session_expired));
  EXPECT_TRUE(passes(rolling.world.visit(renewed, "/")));
}

TEST(Renewal, NoTokenIsLeftUnderTheOldSid) {
  RenewalWorld rolling;
  rolling.later(kDue);
  ASSERT_TRUE(passes(rolling.fetch()));
  const auto pointer =
      open_session(rolling.world.store.envelope(rolling.first->key()), rolling.first->cookie(),
                   rolling.first->key(), rolling.world.keys, rolling.world.settings.identity);
  ASSERT_TRUE(pointer);
  EXPECT_EQ((*pointer)->record().access_token, "");
  EXPECT_EQ((*pointer)->record().refresh_token, "");
  EXPECT_EQ((*pointer)->record().id_token, "");
}

TEST(Renewal, OneOfManyConcurrentRequestsRenews) {
  RenewalWorld rolling;
  World& world = rolling.world;
  SharedTable elsewhere(world.loop);
  ScriptedWorker far(world.settings, world.loop, world.io, world.op, world.store, world.ledger,
                     elsewhere, world.keys, world.log);
  rolling.later(kDue);
  std::vector<std::unique_ptr<Root<Outcome>>> requests;
  for (int i = 0; i < 20; ++i) {
    Services& services = i % 2 == 0 ? world.worker.services : far.services;
    requests.push_back(std::make_unique<Root<Outcome>>(
        access_flow(services, rolling.browser.fetch("/"))));
    world.loop.step();
  }
  world.settle();
  std::size_t cookies = 0;
  for (const auto& request : requests) {
    ASSERT_TRUE(request->ended());
    const Outcome outcome = request->take();
    ASSERT_TRUE(passes(outcome)) << describe(outcome);
    cookies += session_cookies(outcome);
  }
  EXPECT_EQ(cookies, 1U);
  EXPECT_EQ(world.store.inserts(), 2U);  // the login and the renewal
}

TEST(Renewal, AStoreThatFailsLeavesTheOldSidInUse) {
  for (const char* call : {"ledger add", "store insert", "store replace"}) {
    for (const Fault fault : {Fault::error, Fault::timeout, Fault::refusal}) {
      if (call == std::string("store replace") && fault != Fault::error) continue;
      SCOPED_TRACE(std::string(call) + " " + std::to_string(static_cast<int>(fault)));
      RenewalWorld rolling;
      rolling.later(kDue);
      rolling.world.io.break_all(call, fault);
      const Outcome outcome = rolling.fetch();
      ASSERT_TRUE(passes(outcome)) << describe(outcome);
      EXPECT_TRUE(outcome.set_cookies.empty());
      EXPECT_EQ(outcome.session->key(), rolling.first->key());
      rolling.world.io.repair();
      rolling.later(121);  // what a timeout left behind has ended
      const Outcome again = rolling.fetch();
      ASSERT_TRUE(passes(again)) << describe(again);
      EXPECT_EQ(session_cookies(again), 1U);
    }
  }
}

// The write that decides was late, and happened: the cookie is for what is there.
TEST(Renewal, AWriteWhoseReplyWasLostIsLookedUp) {
  RenewalWorld rolling;
  rolling.later(kDue);
  rolling.world.io.break_all("store replace", Fault::timeout);
  const Outcome outcome = rolling.world.visit(rolling.browser, "/");
  ASSERT_TRUE(passes(outcome)) << describe(outcome);
  EXPECT_EQ(session_cookies(outcome), 1U);
  rolling.world.io.repair();
  rolling.later(60);
  EXPECT_TRUE(passes(rolling.fetch()));
}

TEST(Renewal, ALogoutWithEitherCookieEndsBoth) {
  for (const bool with_old : {true, false}) {
    SCOPED_TRACE(with_old);
    RenewalWorld rolling;
    rolling.later(kDue);
    Browser renewed = rolling.browser;
    ASSERT_TRUE(passes(rolling.world.visit(renewed, "/")));
    const Browser& leaving = with_old ? rolling.browser : renewed;
    const Outcome out = rolling.world.access(leaving.post("/logout"));
    EXPECT_TRUE(redirects_to(out, "https://op.example.com/logout?")) << describe(out);
    EXPECT_EQ(rolling.world.store.size(), 0U);
    EXPECT_TRUE(denies(rolling.fetch(), Errc::session_expired));
    EXPECT_TRUE(starts_login(rolling.world.visit(renewed, "/")));
  }
}

TEST(Renewal, ALogoutThatCannotSeeTheSuccessorIsNotOne) {
  RenewalWorld rolling;
  rolling.later(kDue);
  Browser renewed = rolling.browser;
  ASSERT_TRUE(passes(rolling.world.visit(renewed, "/")));
  rolling.world.io.break_all("ledger read", Fault::error);
  EXPECT_TRUE(denies(rolling.world.access(rolling.browser.post("/logout")),
                     Errc::store_unavailable));
  rolling.world.io.repair();
  EXPECT_TRUE(redirects_to(rolling.world.access(rolling.browser.post("/logout")), "https://op"));
  EXPECT_EQ(rolling.world.store.size(), 0U);
}

TEST(Renewal, ABrowserThatLeavesCostsNoSession) {
  bool ended = false;
  std::size_t lost = 0;
  for (std::size_t steps = 0; !ended; ++steps) {
    ASSERT_LT(steps, 1000U);
    SCOPED_TRACE(steps);
    RenewalWorld rolling;
    rolling.later(kDue);
    {
      Root<Outcome> root(
          access_flow(rolling.world.worker.services, rolling.browser.fetch("/")));
      for (std::size_t i = 0; i < steps && !root.ended(); ++i) rolling.world.loop.step();
      ended = root.ended();
      root.cancel();
    }
    rolling.world.settle();
    expect_quiet(rolling.world);
    if (ended) break;
    rolling.later(11);
    // Only while the write that decides, or the answer after it, is under way.
    lost += passes(rolling.fetch()) ? 0 : 1;
  }
  EXPECT_LE(lost, 2U);
}

}  // namespace
}  // namespace oidc
