#include <gtest/gtest.h>

#include <string>

#include "oidc/outage.h"
#include "oidc/session_cache.h"
#include "scripted_world.h"

namespace oidc {
namespace {

using namespace test;
using namespace std::chrono_literals;

class Unwatched final : public Coherence {
 public:
  [[nodiscard]] bool current(const CacheMark&) const noexcept override { return false; }
};

class SessionOutage : public testing::Test {
 protected:
  SessionOutage() {
    world_.settings.logout.uri_suffix = "/logout";
    world_.settings.session.outage_cached = 60;
    world_.worker.services.cache = &cache_;
    world_.log_in(browser_);
    key_ = world_.session_of(browser_)->key();
    read();
  }
  // A request that the store answers, as a store reports it.
  void read() {
    const SessionCache::Reading reading(cache_, key_, world_.loop.monotonic_ms());
    cache_.confirm(reading, envelope_generation(world_.store.envelope(key_)), CacheMark{}, 900s);
    world_.visit(browser_, "/");
  }
  void store_fails() { world_.io.break_all("store", Fault::error); }
  void pass_time(Milliseconds length) {
    world_.loop.run([](ScriptedLoop& loop, Milliseconds delay) -> Task<bool> {
      co_await sleep_for(loop, delay);
      co_return true;
    }(world_.loop, length));
  }
  Task<bool> replay_once() {
    co_await replay_logouts(world_.shared, world_.store, world_.ledger,
                            store_name(world_.settings.session), 30s);
    co_return true;
  }
  void replay() { world_.loop.run(replay_once()); }

  World world_;
  Browser browser_;
  Unwatched coherence_;
  SessionCache cache_{{1024 * 1024, 60s, 60s}, coherence_};
  StoreKey key_;
};

TEST_F(SessionOutage, WhatTheStoreConfirmedGoesOn) {
  store_fails();
  EXPECT_TRUE(passes(world_.visit(browser_, "/")));
  pass_time(50s);
  EXPECT_TRUE(passes(world_.visit(browser_, "/")));
  pass_time(10s);
  EXPECT_TRUE(denies(world_.visit(browser_, "/"), Errc::store_unavailable));
}

TEST_F(SessionOutage, NotWithDeny) {
  world_.settings.session.outage_cached = 0;
  store_fails();
  EXPECT_TRUE(denies(world_.visit(browser_, "/"), Errc::store_unavailable));
}

TEST_F(SessionOutage, NotWhatChangedBefore) {
  cache_.invalidate(key_);
  store_fails();
  EXPECT_TRUE(denies(world_.visit(browser_, "/"), Errc::store_unavailable));
}

TEST_F(SessionOutage, NotWithoutTheCookie) {
  store_fails();
  browser_.cookies.clear();
  EXPECT_TRUE(starts_login(world_.visit(browser_, "/")));
}

TEST_F(SessionOutage, NeverBeyondTheAccessTokenAndWithoutARefresh) {
  world_.settings.session.outage_cached = 100'000;
  const Seconds end = world_.session_of(browser_)->record().access_expires;
  ASSERT_GT(end, 0);
  const std::size_t asked = world_.io.count("http");
  store_fails();
  // Due for a refresh, but not expired.
  pass_time(Milliseconds((end - world_.loop.now() - 2) * 1000));
  EXPECT_TRUE(passes(world_.visit(browser_, "/")));
  pass_time(3s);
  EXPECT_TRUE(denies(world_.visit(browser_, "/"), Errc::store_unavailable));
  EXPECT_EQ(world_.io.count("http"), asked);
}

TEST_F(SessionOutage, NoStrongerLoginThanWasMade) {
  world_.settings.authorization.acr_values = {"platinum"};
  store_fails();
  EXPECT_TRUE(denies(world_.visit(browser_, "/"), Errc::store_unavailable));
}

TEST_F(SessionOutage, ALogoutHoldsAtOnceAndIsToldLater) {
  const Browser thief = browser_;
  store_fails();
  const Outcome outcome = world_.access(browser_.post("/app/logout"));
  EXPECT_EQ(outcome.status, 303) << describe(outcome);
  EXPECT_EQ(outcome.set_cookies.size(), 1U);
  Browser copy = thief;
  EXPECT_TRUE(starts_login(world_.visit(copy, "/")));
  replay();  // the store still fails
  EXPECT_TRUE(world_.store.has(key_));
  EXPECT_TRUE(was_logged_out(world_.shared, key_));

  world_.io.repair();
  replay();
  EXPECT_FALSE(world_.store.has(key_));
  EXPECT_EQ(world_.shared.count("unsent_logout"), 0U);
  // Another worker may still think that the store is away.
  EXPECT_TRUE(was_logged_out(world_.shared, key_));
  pass_time(31s);
  EXPECT_FALSE(was_logged_out(world_.shared, key_));
}

// Another machine reaches the store, and gives the session a new sid before it hears of the logout.
class LogoutThenRenewal : public SessionOutage {
 protected:
  void log_out_and_renew_elsewhere(bool by_index) {
    world_.settings.session.rolling_timeout = 3600;
    const auto old = world_.session_of(browser_);
    store_fails();
    world_.access(browser_.post("/app/logout"));
    world_.io.repair();
    const Renewal renewal = world_.loop.run(renew_session(world_.worker.services, old));
    ASSERT_TRUE(renewal.renewed);
    new_key_ = renewal.session->key();
    // Of the entry nothing is left where the outage lasts.
    if (by_index) world_.loop.advance(Milliseconds(300'000));
    ASSERT_TRUE(world_.store.has(new_key_));
    replay();
  }
  StoreKey new_key_;
};

TEST_F(LogoutThenRenewal, TheReplayFollowsTheRenewal) {
  log_out_and_renew_elsewhere(false);
  EXPECT_FALSE(world_.store.has(new_key_));
  EXPECT_TRUE(was_logged_out(world_.shared, new_key_));
}

TEST_F(LogoutThenRenewal, TheReplayFindsItByTheIndexLater) {
  log_out_and_renew_elsewhere(true);
  EXPECT_FALSE(world_.store.has(new_key_));
}

TEST_F(SessionOutage, TheReplayLeavesOtherLoginsAlone) {
  const Seconds created = world_.session_of(browser_)->record().created;
  Browser other;  // of the same user in the same second
  world_.log_in(other);
  store_fails();
  world_.access(browser_.post("/app/logout"));
  world_.io.repair();
  world_.loop.run(world_.store.erase(key_));  // a command that came late is done when Redis is back
  replay();
  EXPECT_EQ(world_.shared.count("unsent_logout"), 0U);
  ASSERT_NE(world_.session_of(other), nullptr);
  EXPECT_EQ(world_.session_of(other)->record().created, created);
}

// One worker begins so many steps after another one.
class ReplayBesideReplay : public SessionOutage, public testing::WithParamInterface<int> {
 protected:
  void spawn_replay() {
    world_.loop.spawn(replay_logouts(world_.shared, world_.store, world_.ledger,
                                     store_name(world_.settings.session), 30s));
  }
};

TEST_P(ReplayBesideReplay, LeavesOtherLoginsAlone) {
  Browser other;  // of the same user in the same second
  world_.log_in(other);
  store_fails();
  world_.access(browser_.post("/app/logout"));
  world_.io.repair();
  spawn_replay();
  for (int step = 0; step < GetParam(); ++step) world_.loop.step();
  spawn_replay();
  while (world_.loop.running_tasks() > 0 && world_.loop.step()) {
  }
  EXPECT_FALSE(world_.store.has(key_));
  EXPECT_NE(world_.session_of(other), nullptr);
  EXPECT_EQ(world_.shared.count("unsent_logout"), 0U);
  EXPECT_EQ(world_.shared.count("replays_logouts"), 0U);
}
INSTANTIATE_TEST_SUITE_P(Steps, ReplayBesideReplay, testing::Range(0, 12));

TEST_F(SessionOutage, AReplayThatIsCancelledIsAnothersToDo) {
  store_fails();
  world_.access(browser_.post("/app/logout"));
  world_.io.repair();
  world_.loop.spawn(replay_logouts(world_.shared, world_.store, world_.ledger,
                                   store_name(world_.settings.session), 30s));
  EXPECT_EQ(world_.shared.count("replays_logouts"), 1U);
  world_.loop.cancel_tasks();
  EXPECT_EQ(world_.shared.count("replays_logouts"), 0U);
  replay();
  EXPECT_FALSE(world_.store.has(key_));
}

TEST_F(SessionOutage, ATombstoneBeatsTheStoreThatIsBack) {
  const Browser thief = browser_;
  store_fails();
  world_.access(browser_.post("/app/logout"));
  world_.io.repair();
  Browser copy = thief;
  EXPECT_TRUE(starts_login(world_.visit(copy, "/")));  // before any replay
  EXPECT_FALSE(world_.store.has(key_));
}

TEST_F(SessionOutage, ALogoutThatCannotBeRememberedIsNone) {
  store_fails();
  world_.shared.full = true;
  EXPECT_TRUE(denies(world_.access(browser_.post("/app/logout")), Errc::store_unavailable));
}

TEST_F(SessionOutage, ALogoutWithoutCachedWaitsForTheStore) {
  world_.settings.session.outage_cached = 0;
  store_fails();
  const Outcome outcome = world_.access(browser_.post("/app/logout"));
  EXPECT_TRUE(denies(outcome, Errc::store_unavailable));
  EXPECT_TRUE(outcome.set_cookies.empty());
}

TEST_F(SessionOutage, OneSessionTakesOnePlace) {
  const OwedLogout owed{key_, 0, {}};
  for (int i = 0; i < 5; ++i) ASSERT_TRUE(remember_logout(world_.worker.services, owed));
  EXPECT_EQ(world_.shared.count("unsent_logout:"), 1U);
}

// A worker whose channel was gone did not hear of it; then the store goes too.
TEST_F(SessionOutage, ALogoutThatTheStoreWasToldOfHoldsInTheOutage) {
  world_.access(browser_.post("/app/logout"));
  EXPECT_TRUE(was_logged_out(world_.shared, key_));
  EXPECT_EQ(world_.shared.count("unsent_logout"), 0U);
}

TEST_F(SessionOutage, ManyLogoutsAreAllTold) {
  std::vector<StoreKey> keys;
  for (int i = 0; i < 40; ++i) {
    keys.push_back(store_key(make_session_cookie(kNow, 3600).sid_view()));
    ASSERT_TRUE(remember_logout(world_.worker.services, OwedLogout{keys.back(), 0, {}}));
  }
  EXPECT_EQ(world_.shared.count("unsent_logout:"), 40U);
  world_.io.forget();
  replay();
  EXPECT_EQ(world_.io.count("store erase"), 40U);
  EXPECT_EQ(world_.shared.count("unsent_logout"), 0U);
  replay();
  EXPECT_EQ(world_.io.count("store erase"), 40U);
}

// One master of a cluster is away.
TEST_F(SessionOutage, OneThatCannotBeToldKeepsBackNoOther) {
  for (int i = 0; i < 5; ++i) {
    const StoreKey key = store_key(make_session_cookie(kNow, 3600).sid_view());
    ASSERT_TRUE(remember_logout(world_.worker.services, OwedLogout{key, 0, {}}));
  }
  world_.io.fail_at(0, Fault::error);
  replay();
  EXPECT_EQ(world_.shared.count("unsent_logout:"), 1U);
  world_.io.repair();
  replay();
  EXPECT_EQ(world_.shared.count("unsent_logout"), 0U);
}

TEST(StoreName, TellsClustersAndSentinelsApart) {
  SessionSettings one, two;
  one.redis.cluster_nodes = {{"127.0.0.1", 7000}};
  two.redis.cluster_nodes = {{"127.0.0.1", 7001}};
  EXPECT_NE(store_name(one), store_name(two));
  one.redis.cluster_nodes = two.redis.cluster_nodes = {};
  one.redis.sentinel_nodes = {{"127.0.0.1", 26379}};
  two.redis.sentinel_nodes = {{"127.0.0.1", 26380}};
  EXPECT_NE(store_name(one), store_name(two));
}

}  // namespace
}  // namespace oidc
