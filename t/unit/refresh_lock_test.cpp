// Two machines with one store: one refresh, whatever goes wrong with the lock between them.
#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "flow/refresh_lock.h"
#include "scripted_world.h"

namespace oidc {
namespace {

using namespace test;

class RefreshBetweenMachines : public testing::Test {
 protected:
  RefreshBetweenMachines() {
    world_.settings.session.storage = StorageKind::redis;
    world_.log_in(browser_);
    world_.loop.advance(Milliseconds(250'000));
    other_ = std::make_unique<ScriptedWorker>(world_.settings, world_.loop, world_.io, world_.op,
                                              world_.store, world_.ledger, others_memory_,
                                              world_.keys, world_.log);
    sibling_ = std::make_unique<ScriptedWorker>(world_.settings, world_.loop, world_.io, world_.op,
                                                world_.store, world_.ledger, world_.shared,
                                                world_.keys, world_.log);
    EXPECT_TRUE(world_.loop.run(other_->provider.metadata()));
    EXPECT_TRUE(world_.loop.run(other_->provider.keys()));
    world_.io.forget();
  }
  ~RefreshBetweenMachines() override { world_.loop.cancel_tasks(); }
  std::unique_ptr<Root<Outcome>> begin(ScriptedWorker& worker) {
    return std::make_unique<Root<Outcome>>(access_flow(worker.services, browser_.navigate("/")));
  }
  Outcome visit() { return world_.visit(browser_, "/"); }
  [[nodiscard]] std::string lock_name() {
    const auto session = world_.session_of(browser_);
    return RefreshLock(world_.worker.services, refresh_family(*session)).in_store;
  }
  [[nodiscard]] bool is_locked() { return world_.ledger.find(lock_name()) != nullptr; }
  [[nodiscard]] Milliseconds life() const { return refresh_lock_life(world_.settings); }
  [[nodiscard]] std::string access_token() {
    return std::string(world_.session_of(browser_)->record().access_token);
  }

  World world_;
  Browser browser_;
  SharedTable others_memory_{world_.loop};
  std::unique_ptr<ScriptedWorker> other_, sibling_;  // of another machine, of the same
};

TEST(RefreshLockLife, CoversWhatClusterAndSentinelDoBesides) {
  Settings settings = sample_settings();
  settings.provider.timeout_ms = 10'000;
  settings.session.storage = StorageKind::redis;
  RedisSettings& redis = settings.session.redis;
  redis.connect_timeout_ms = redis.send_timeout_ms = redis.read_timeout_ms = 2000;
  const auto seconds = [&] { return refresh_lock_life(settings).count() / 1000; };
  EXPECT_EQ(seconds(), 60);
  settings.session.remember.on = true;
  EXPECT_EQ(seconds(), 80);
  settings.session.remember.on = false;
  redis.sentinel_nodes = {{"127.0.0.1", 26379}};
  EXPECT_EQ(seconds(), 40 + 2 * (2 * (10 + 2) + 2));
  redis.sentinel_nodes.clear();
  redis.cluster_nodes = {{"127.0.0.1", 7000}};
  redis.cluster_max_redirections = 5;
  EXPECT_EQ(seconds(), 40 + 2 * (7 * 10 + 2 * 2));
  redis.cluster_max_redirections = 1;
  EXPECT_EQ(seconds(), 40 + 2 * (3 * 10 + 2 * 2));
}

TEST_F(RefreshBetweenMachines, TheyAskOnceTogether) {
  auto a = begin(world_.worker);
  auto b = begin(*other_);
  world_.settle();
  for (auto* request : {a.get(), b.get()}) {
    ASSERT_TRUE(request->ended());
    const Outcome outcome = request->take();
    ASSERT_TRUE(passes(outcome)) << describe(outcome);
    EXPECT_EQ(outcome.session->record().access_token, "access-3");
  }
  EXPECT_EQ(world_.op.refreshes, 1U);
  EXPECT_FALSE(world_.op.token_was_reused);
  EXPECT_FALSE(is_locked());
}

TEST_F(RefreshBetweenMachines, TheSecondLooksAgainAfterItHasTheLock) {
  auto a = begin(world_.worker);
  while (world_.io.count("store replace") < 1) ASSERT_TRUE(world_.loop.step());
  auto b = begin(*other_);
  world_.settle();
  EXPECT_TRUE(passes(b->take()));
  EXPECT_TRUE(passes(a->take()));
  EXPECT_EQ(world_.op.refreshes, 1U);
}

TEST_F(RefreshBetweenMachines, TheLockOutlivesTheWholeCall) {
  RedisSettings& redis = world_.settings.session.redis;
  const std::int64_t store = redis.connect_timeout_ms + redis.send_timeout_ms + redis.read_timeout_ms;
  EXPECT_GE(life().count(), world_.settings.provider.timeout_ms * 3 + 2 * store);
  redis.read_timeout_ms += 1000;
  world_.settings.provider.timeout_ms += 1000;
  const std::int64_t more = redis.connect_timeout_ms + redis.send_timeout_ms + redis.read_timeout_ms;
  EXPECT_GE(life().count(), world_.settings.provider.timeout_ms * 3 + 2 * more);
}

// A machine died with the lock in its hand.
TEST_F(RefreshBetweenMachines, ADeadOwnerIsWaitedForNoLongerThanItsLease) {
  world_.ledger.put(lock_name(), "of the dead", life());
  const Outcome meanwhile = visit();
  ASSERT_TRUE(passes(meanwhile)) << describe(meanwhile);
  EXPECT_EQ(meanwhile.session->record().access_token, "access-2");
  EXPECT_EQ(world_.op.refreshes, 0U);
  EXPECT_GT(world_.io.count("ledger add"), 50U);
  world_.loop.advance(life());
  EXPECT_EQ(world_.op.refreshes, 1U);
  EXPECT_EQ(access_token(), "access-3");
  EXPECT_TRUE(passes(visit()));
  EXPECT_FALSE(is_locked());
}

TEST_F(RefreshBetweenMachines, AnExpiredTokenWaitsForTheLeaseAndThenGoesOn) {
  world_.loop.advance(Milliseconds(60'000));
  world_.ledger.put(lock_name(), "of the dead", life() / 2);
  const Outcome outcome = visit();
  ASSERT_TRUE(passes(outcome)) << describe(outcome);
  EXPECT_EQ(outcome.session->record().access_token, "access-3");
}

TEST_F(RefreshBetweenMachines, AnAnswerThatWasLostIsReadBack) {
  world_.io.break_all("ledger add", Fault::timeout);  // it is there all the same
  auto request = begin(world_.worker);
  world_.settle();
  EXPECT_EQ(world_.op.refreshes, 1U);
  EXPECT_EQ(access_token(), "access-3");
  EXPECT_FALSE(is_locked());
}

TEST_F(RefreshBetweenMachines, NoneWithoutAnAnswerOfTheStore) {
  world_.io.break_all("ledger", Fault::error);
  const Outcome outcome = visit();
  ASSERT_TRUE(passes(outcome)) << describe(outcome);
  EXPECT_EQ(outcome.session->record().access_token, "access-2");
  EXPECT_EQ(world_.op.refreshes, 0U);
  EXPECT_EQ(world_.io.count("POST"), 0U);
  world_.loop.advance(Milliseconds(60'000));
  EXPECT_TRUE(denies(visit(), Errc::refresh_failed));
  world_.io.repair();
  world_.loop.advance(kFailureCounts);
  EXPECT_TRUE(passes(visit()));
  EXPECT_EQ(world_.op.refreshes, 1U);
}

TEST_F(RefreshBetweenMachines, AFailureGivesTheLockBackAndCountsForTheMachine) {
  world_.op.rotates = false;
  world_.io.break_all("POST", Fault::refusal);
  EXPECT_TRUE(passes(visit()));
  world_.loop.advance(Milliseconds(100));
  EXPECT_FALSE(is_locked());
  const std::size_t tries = world_.io.count("POST");
  const auto visit_sibling = [&] {
    return world_.loop.run(access_flow(sibling_->services, browser_.navigate("/")));
  };
  Outcome outcome = visit_sibling();
  EXPECT_TRUE(passes(outcome)) << describe(outcome);
  EXPECT_EQ(world_.io.count("POST"), tries);
  world_.io.repair();
  world_.loop.advance(kFailureCounts);
  outcome = visit_sibling();
  EXPECT_TRUE(passes(outcome)) << describe(outcome);
  EXPECT_EQ(access_token(), "access-4");
}

// The used token must not be sent by anybody while the new one is nowhere but in this worker.
TEST_F(RefreshBetweenMachines, AnUnsavedResultKeepsTheLock) {
  world_.io.break_all("store replace", Fault::error);
  EXPECT_TRUE(passes(visit()));
  EXPECT_TRUE(is_locked());
  auto b = begin(*other_);
  world_.loop.advance(Milliseconds(3'000));
  EXPECT_EQ(world_.op.refreshes, 1U);
  world_.io.repair();
  world_.loop.advance(Milliseconds(2'000));
  ASSERT_TRUE(b->ended());
  const Outcome outcome = b->take();
  ASSERT_TRUE(passes(outcome)) << describe(outcome);
  EXPECT_EQ(outcome.session->record().access_token, "access-3");
  EXPECT_EQ(world_.op.refreshes, 1U);
  EXPECT_FALSE(world_.op.token_was_reused);
  EXPECT_FALSE(is_locked());
}

TEST_F(RefreshBetweenMachines, AnUnsavedResultThatIsGivenUpGivesTheLockBack) {
  world_.io.break_all("store replace", Fault::error);
  EXPECT_TRUE(passes(visit()));
  world_.loop.advance(life());
  EXPECT_FALSE(is_locked());
  EXPECT_EQ(world_.loop.running_tasks(), 0U);
}

// Memory of one machine: the lease in it is enough.
TEST_F(RefreshBetweenMachines, SharedMemoryNeedsNoSecondLock) {
  world_.settings.session.storage = StorageKind::shm;
  EXPECT_TRUE(passes(visit()));
  EXPECT_EQ(world_.op.refreshes, 1U);
  EXPECT_EQ(world_.io.count("ledger add"), 0U);
  EXPECT_EQ(world_.io.count("ledger erase"), 0U);
}

TEST_F(RefreshBetweenMachines, ALogoutWhileItWaitsWins) {
  world_.ledger.put(lock_name(), "of another", life());
  auto request = begin(world_.worker);
  while (world_.io.count("ledger add") < 2) ASSERT_TRUE(world_.loop.step());
  world_.store.drop(world_.session_of(browser_)->key());
  world_.settle();
  EXPECT_TRUE(starts_login(request->take()));
  EXPECT_EQ(world_.op.refreshes, 0U);
}

}  // namespace
}  // namespace oidc
