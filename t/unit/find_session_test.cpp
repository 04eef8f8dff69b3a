#include <gtest/gtest.h>

#include <string>

#include "oidc/flow.h"
#include "scripted_world.h"

namespace oidc {
namespace {

using namespace test;

class FindSession : public testing::Test {
 protected:
  SessionLookup find(Facts facts) {
    return world_.loop.run(find_session(world_.worker.services, std::move(facts)));
  }
  SessionLookup find() { return find(browser_.navigate("/")); }
  [[nodiscard]] StoreKey key() { return world_.session_of(browser_)->key(); }

  World world_;
  Browser browser_;
};

TEST_F(FindSession, OfABrowserThatIsLoggedIn) {
  world_.log_in(browser_);
  const SessionLookup lookup = find();
  ASSERT_EQ(lookup.kind, SessionLookup::Kind::found);
  EXPECT_EQ(lookup.session->record().subject, "alice");
}

TEST_F(FindSession, WithoutACookieTheStoreIsNotAsked) {
  const SessionLookup lookup = find();
  EXPECT_EQ(lookup.kind, SessionLookup::Kind::none);
  EXPECT_EQ(lookup.why.code, Errc::unauthenticated);
  EXPECT_TRUE(world_.io.calls().empty());
}

TEST_F(FindSession, ABadCookieEqualsNone) {
  world_.log_in(browser_);
  std::string& value = browser_.cookies[World::session_cookie_name()].value;
  value[10] = value[10] == 'A' ? 'B' : 'A';
  world_.io.forget();
  const SessionLookup lookup = find();
  EXPECT_EQ(lookup.kind, SessionLookup::Kind::none);
  EXPECT_EQ(lookup.why.code, Errc::session_invalid);
  EXPECT_TRUE(world_.io.calls().empty());
}

TEST_F(FindSession, OnHttpsAPlainNameIsNotRead) {
  world_.log_in(browser_);
  browser_.cookies["session"] = browser_.cookies[World::session_cookie_name()];
  browser_.cookies.erase(World::session_cookie_name());
  EXPECT_EQ(find().kind, SessionLookup::Kind::none);
}

TEST_F(FindSession, AMissIsNone) {
  world_.log_in(browser_);
  world_.store.drop(key());
  const SessionLookup lookup = find();
  EXPECT_EQ(lookup.kind, SessionLookup::Kind::none);
  EXPECT_EQ(lookup.why.code, Errc::session_expired);
}

TEST_F(FindSession, AStoreErrorIsNotAMiss) {
  world_.log_in(browser_);
  for (const Fault fault : {Fault::error, Fault::timeout}) {
    world_.io.break_all("store", fault);
    const SessionLookup lookup = find();
    EXPECT_EQ(lookup.kind, SessionLookup::Kind::error);
    EXPECT_EQ(lookup.why.code, Errc::store_unavailable);
    EXPECT_EQ(lookup.session, nullptr);
  }
}

TEST_F(FindSession, ARecordThatWasMovedDoesNotOpen) {
  world_.log_in(browser_);
  Browser other;
  world_.log_in(other);
  const std::string foreign = world_.store.envelope(world_.session_of(other)->key());
  world_.store.put(key(), foreign, Milliseconds(60'000));
  const SessionLookup lookup = find();
  EXPECT_EQ(lookup.kind, SessionLookup::Kind::none);
  EXPECT_EQ(lookup.why.code, Errc::session_record_invalid);
}

TEST_F(FindSession, EndsAtTheAbsoluteTimeout) {
  world_.settings.session.idling_timeout = 0;
  world_.log_in(browser_);
  const StoreKey stored = key();
  const std::string envelope = world_.store.envelope(stored);
  world_.loop.advance(Milliseconds(86400 * 1000));
  world_.store.put(stored, envelope, Milliseconds(60'000));  // a store that forgot to forget
  EXPECT_EQ(find().kind, SessionLookup::Kind::none);
}

TEST_F(FindSession, TwoValidCookiesWithDifferentSidsAreAConflict) {
  world_.log_in(browser_);
  Browser other;
  world_.log_in(other);
  const auto facts = browser_.navigate("/");
  facts->cookie_headers.push_back(other.navigate("/")->cookie_headers.at(0));
  const SessionLookup lookup = find(facts);
  EXPECT_EQ(lookup.kind, SessionLookup::Kind::none);
  EXPECT_EQ(lookup.why.code, Errc::cookie_conflict);
}

TEST_F(FindSession, TheSameCookieTwiceIsNone) {
  world_.log_in(browser_);
  const auto facts = browser_.navigate("/");
  facts->cookie_headers.push_back(facts->cookie_headers.at(0));
  EXPECT_EQ(find(facts).kind, SessionLookup::Kind::found);
}

TEST_F(FindSession, APlantedCookieThatDoesNotVerifyIsNoConflict) {
  world_.log_in(browser_);
  const auto facts = browser_.navigate("/");
  facts->cookie_headers.insert(facts->cookie_headers.begin(), "__Host-session=planted");
  EXPECT_EQ(find(facts).kind, SessionLookup::Kind::found);
}

SessionRecord record(Seconds access_expires, Seconds tokens_since, bool refreshable = true) {
  SessionRecord record = sample_record();
  record.access_expires = access_expires;
  record.tokens_since = tokens_since;
  if (!refreshable) record.refresh_token = {};
  return record;
}

TEST(RefreshDue, BeforeTheEndByTheSmallerOfConfiguredAndAQuarter) {
  Settings settings = sample_settings();
  settings.token.refresh_before = 60;
  const SessionRecord hour = record(kNow + 3600, kNow);
  EXPECT_FALSE(is_refresh_due(hour, settings, kNow + 3539));
  EXPECT_TRUE(is_refresh_due(hour, settings, kNow + 3540));
  const SessionRecord minute = record(kNow + 60, kNow);
  EXPECT_FALSE(is_refresh_due(minute, settings, kNow + 44));
  EXPECT_TRUE(is_refresh_due(minute, settings, kNow + 45));
}

TEST(RefreshDue, NotForAFewSecondsAfterTheLastWhileTheTokenLives) {
  const Settings settings = sample_settings();
  for (const Seconds life : {1, 2, 4, 5}) {
    const SessionRecord brief = record(kNow + life, kNow);
    EXPECT_FALSE(is_refresh_due(brief, settings, kNow + life - 1)) << life;
    EXPECT_TRUE(is_refresh_due(brief, settings, kNow + life)) << life;
  }
}

// Else each request would refresh, or send the browser to log in, for ever.
TEST(RefreshDue, ATokenThatCameExpiredCountsForFiveSeconds) {
  const Settings settings = sample_settings();
  for (const Seconds life : {0, -1, -1000}) {
    const SessionRecord over = record(kNow + life, kNow);
    for (const Seconds later : {0, 4}) {
      EXPECT_FALSE(is_refresh_due(over, settings, kNow + later)) << life;
      EXPECT_FALSE(is_access_token_expired(over, kNow + later)) << life;
    }
    EXPECT_TRUE(is_refresh_due(over, settings, kNow + 5)) << life;
    EXPECT_TRUE(is_access_token_expired(over, kNow + 5)) << life;
  }
}

TEST(RefreshDue, NeedsARefreshTokenAKnownEndAndTheDirective) {
  Settings settings = sample_settings();
  EXPECT_TRUE(is_refresh_due(record(kNow, kNow - 300), settings, kNow));
  EXPECT_FALSE(is_refresh_due(record(kNow, kNow - 300, false), settings, kNow));
  EXPECT_FALSE(is_refresh_due(record(0, kNow - 300), settings, kNow));
  settings.token.refresh = false;
  EXPECT_FALSE(is_refresh_due(record(kNow, kNow - 300), settings, kNow));
}

TEST(AccessTokenExpired, AtItsEnd) {
  EXPECT_FALSE(is_access_token_expired(record(kNow + 1, kNow - 300), kNow));
  EXPECT_TRUE(is_access_token_expired(record(kNow, kNow - 300), kNow));
  EXPECT_FALSE(is_access_token_expired(record(0, kNow), kNow));
}

TEST(Alive, OnlySessionsOfTheCodeFlowWithinTheirTime) {
  Settings settings = sample_settings();
  settings.session.absolute_timeout = 0;
  settings.session.rolling_timeout = 0;
  SessionRecord one = sample_record();
  EXPECT_TRUE(is_alive(one, settings, kNow));
  EXPECT_FALSE(is_alive(one, settings, one.absolute_end));
  one.absolute_end = 0;
  EXPECT_TRUE(is_alive(one, settings, kNow + 1'000'000'000));
  for (const int method : {0, 1, 3, 255}) {
    one.method = static_cast<std::uint8_t>(method);
    EXPECT_FALSE(is_alive(one, settings, kNow)) << method;
  }
}

// Locations of one client may share a session, and the stricter one judges it by its own rules.
TEST(Alive, AStricterLocationsAbsoluteTimeoutCounts) {
  Settings settings = sample_settings();
  settings.session.absolute_timeout = 100;
  EXPECT_TRUE(is_alive(sample_record(), settings, kNow + 99));
  EXPECT_FALSE(is_alive(sample_record(), settings, kNow + 100));
}

TEST(Alive, AStricterLocationsMaxAgeCounts) {
  Settings settings = sample_settings();
  settings.authorization.max_age = 100;
  settings.token.leeway = 10;
  SessionRecord one = sample_record();
  one.auth_time = kNow - 50;
  EXPECT_TRUE(is_alive(one, settings, kNow + 60));
  EXPECT_FALSE(is_alive(one, settings, kNow + 61));
  one.auth_time = 0;
  EXPECT_FALSE(is_alive(one, settings, kNow));
  settings.authorization.max_age = 0;  // of the login alone
  EXPECT_TRUE(is_alive(one, settings, kNow));
}

TEST(Alive, AStricterLocationsAcrCounts) {
  Settings settings = sample_settings();
  settings.authorization.acr_values = {"platinum", "gold"};
  SessionRecord one = sample_record();
  EXPECT_TRUE(is_alive(one, settings, kNow));
  one.acr = "silver";
  EXPECT_FALSE(is_alive(one, settings, kNow));
  one.acr = {};
  EXPECT_FALSE(is_alive(one, settings, kNow));
}

}  // namespace
}  // namespace oidc
