// The provider gave new tokens, and the store does not take them: they exist in this worker alone.
#include <gtest/gtest.h>

#include <string>

#include "oidc/outage.h"
#include "scripted_world.h"

namespace oidc {
namespace {

using namespace test;

class UnsavedRefresh : public testing::Test {
 protected:
  UnsavedRefresh() {
    world_.log_in(browser_);
    world_.loop.advance(Milliseconds(250'000));
    world_.io.forget();
    world_.io.break_all("store replace", Fault::error);
  }
  Outcome visit() { return world_.visit(browser_, "/"); }
  std::string stored() { return std::string(world_.session_of(browser_)->record().access_token); }

  World world_;
  Browser browser_;
};

TEST_F(UnsavedRefresh, TheRequestsGoOnWithTheNewTokens) {
  for (int i = 0; i < 5; ++i) {
    const Outcome outcome = visit();
    ASSERT_TRUE(passes(outcome)) << describe(outcome);
    EXPECT_EQ(outcome.session->record().access_token, "access-3");
  }
  EXPECT_EQ(stored(), "access-2");
  EXPECT_EQ(world_.op.refreshes, 1U);
  EXPECT_EQ(world_.log.count(Errc::refresh_unsaved), 1U);
}

TEST_F(UnsavedRefresh, IsSavedWhenTheStoreComesBack) {
  visit();
  world_.loop.advance(Milliseconds(5'000));
  world_.io.repair();
  world_.loop.advance(Milliseconds(1'000));
  EXPECT_EQ(stored(), "access-3");
  const Outcome outcome = visit();
  ASSERT_TRUE(passes(outcome));
  EXPECT_EQ(outcome.session->record().access_token, "access-3");
  EXPECT_EQ(world_.op.refreshes, 1U);
  world_.settle();
  EXPECT_EQ(world_.loop.running_tasks(), 0U);
}

TEST_F(UnsavedRefresh, ALogoutMeanwhileWins) {
  visit();
  const StoreKey key = world_.session_of(browser_)->key();
  world_.store.drop(key);
  world_.io.repair();
  EXPECT_TRUE(starts_login(visit()));
  world_.settle();
  EXPECT_FALSE(world_.store.has(key));
  EXPECT_EQ(world_.store.size(), 0U);
}

TEST_F(UnsavedRefresh, ALogoutMeanwhileRevokesTheNewTokens) {
  world_.settings.logout.revoke = true;
  visit();
  world_.io.forget();
  world_.store.drop(world_.session_of(browser_)->key());
  world_.io.repair();
  world_.settle();
  EXPECT_EQ(world_.store.size(), 0U);
  EXPECT_EQ(world_.op.revoked, (std::vector<std::string>{"refresh_token refresh-3", "access_token access-3"}));
}

// A logout of which only this machine knows so far, while the store takes writes again.
TEST_F(UnsavedRefresh, ALogoutThatIsOwedDropsAndRevokesThem) {
  world_.settings.logout.revoke = true;
  world_.settings.session.outage_cached = 60;
  visit();
  const auto session = world_.session_of(browser_);
  ASSERT_TRUE(remember_logout(world_.worker.services, OwedLogout{session->key(), 0, {}}));
  world_.io.repair();
  world_.io.forget();
  world_.settle();
  EXPECT_EQ(world_.io.count("store replace"), 0U);
  EXPECT_EQ(stored(), "access-2");
  EXPECT_EQ(world_.op.revoked, (std::vector<std::string>{"refresh_token refresh-3", "access_token access-3"}));
}

TEST_F(UnsavedRefresh, AWriteThatArrivedUnseenIsNoConflict) {
  world_.io.repair();
  world_.io.break_all("store replace", Fault::timeout);  // the store did write
  const Outcome outcome = visit();
  ASSERT_TRUE(passes(outcome));
  EXPECT_EQ(outcome.session->record().access_token, "access-3");
  world_.io.repair();
  world_.settle();
  EXPECT_EQ(stored(), "access-3");
  EXPECT_EQ(world_.op.refreshes, 1U);
  EXPECT_TRUE(passes(visit()));
}

TEST_F(UnsavedRefresh, GivesUpInTheEnd) {
  visit();
  world_.settle();
  EXPECT_EQ(world_.loop.running_tasks(), 0U);
  EXPECT_LE(world_.io.count("store replace"), 62U);
  world_.io.repair();
  // The old refresh token is used up: the user logs in again, and nothing hangs.
  EXPECT_TRUE(starts_login(visit()));
  EXPECT_TRUE(redirects_to(world_.log_in(browser_), "https://app.example.org/"));
  EXPECT_TRUE(passes(visit()));
}

TEST_F(UnsavedRefresh, AStoreThatIsWhollyDownAnswers503) {
  visit();
  world_.io.break_all("store", Fault::error);
  EXPECT_TRUE(denies(visit(), Errc::store_unavailable));
}

}  // namespace
}  // namespace oidc
