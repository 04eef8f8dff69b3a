// Several workers of one machine: they share documents, fetches, pauses and throttles.
#include <gtest/gtest.h>

#include <string>

#include "oidc/provider.h"
#include "scripted_world.h"

namespace oidc {
namespace {

using namespace test;
using KeysAnswer = Result<std::shared_ptr<const KeySet>>;
using NewerAnswer = Result<NewerKeys>;

class TwoWorkers : public testing::Test {
 protected:
  ScriptedWorker& a() { return world_.worker; }
  ScriptedWorker& b() { return second_; }
  KeysAnswer keys(ScriptedWorker& worker) { return world_.loop.run(worker.provider.keys()); }
  NewerAnswer newer(ScriptedWorker& worker, std::shared_ptr<const KeySet> seen) {
    return world_.loop.run(worker.provider.newer_keys(std::move(seen)));
  }
  [[nodiscard]] std::size_t fetches() const { return world_.io.count("GET"); }

  World world_;
  ScriptedWorker second_{world_.settings, world_.loop,   world_.io,   world_.op,
                         world_.store,    world_.ledger, world_.shared, world_.keys, world_.log};
};

TEST_F(TwoWorkers, WhatOneHasFetchedTheOtherHas) {
  ASSERT_TRUE(keys(a()));
  ASSERT_TRUE(keys(b()));
  EXPECT_EQ(fetches(), 2U);  // discovery and key set, once each
}

TEST_F(TwoWorkers, BothAskAndOneFetches) {
  Root<KeysAnswer> first(a().provider.keys());
  Root<KeysAnswer> second(b().provider.keys());
  world_.settle();
  ASSERT_TRUE(first.ended() && second.ended());
  EXPECT_TRUE(first.take());
  EXPECT_TRUE(second.take());
  EXPECT_EQ(fetches(), 2U);
}

TEST_F(TwoWorkers, ANewWorkerAfterAReloadFindsThem) {
  ASSERT_TRUE(keys(a()));
  world_.io.break_all("GET", Fault::error);
  ScriptedWorker reloaded(world_.settings, world_.loop, world_.io, world_.op, world_.store,
                          world_.ledger, world_.shared, world_.keys, world_.log);
  EXPECT_TRUE(keys(reloaded));
}

TEST_F(TwoWorkers, AFailureIsThePauseOfBoth) {
  world_.io.break_all("GET", Fault::error);
  EXPECT_FALSE(keys(a()));
  EXPECT_FALSE(keys(b()));
  EXPECT_EQ(fetches(), 1U);
}

TEST_F(TwoWorkers, WhoWaitsForAFetchThatFailsFailsToo) {
  world_.io.break_all("GET", Fault::timeout);
  Root<KeysAnswer> first(a().provider.keys());
  Root<KeysAnswer> second(b().provider.keys());
  world_.settle();
  ASSERT_TRUE(first.ended() && second.ended());
  EXPECT_EQ(code_of(first.take()), Errc::discovery_unavailable);
  EXPECT_EQ(code_of(second.take()), Errc::discovery_unavailable);
  EXPECT_EQ(fetches(), 1U);
}

// A worker may die while it holds the lease.
TEST_F(TwoWorkers, AFetcherThatDiedIsReplaced) {
  {
    ScriptedLoop dying_loop;
    IoScript dying_io(dying_loop);
    ScriptedWorker dying(world_.settings, dying_loop, dying_io, world_.op, world_.store,
                         world_.ledger, world_.shared, world_.keys, world_.log);
    Root<KeysAnswer> root(dying.provider.keys());
    EXPECT_EQ(dying_io.count("GET"), 1U);
    dying_loop.cancel_tasks();
  }
  Root<KeysAnswer> root(a().provider.keys());
  world_.settle();
  ASSERT_TRUE(root.ended());
  EXPECT_TRUE(root.take());
  EXPECT_EQ(fetches(), 2U);
}

TEST_F(TwoWorkers, OneRenewsAndTheOtherTakesOver) {
  const auto old = *keys(a());
  ASSERT_TRUE(keys(b()));
  world_.op.published = {&SigningKey::ec("second")};
  world_.loop.advance(Milliseconds(3'600'000));
  EXPECT_EQ(*keys(a()), old);
  world_.settle();
  const std::size_t after = fetches();
  EXPECT_TRUE((*keys(b()))->has_kid("second"));
  EXPECT_EQ(fetches(), after);
}

TEST_F(TwoWorkers, UnknownKeysAreThrottledForBoth) {
  const auto seen_by_a = *keys(a());
  const auto seen_by_b = *keys(b());
  world_.io.forget();
  for (int i = 0; i < 20; ++i) {
    EXPECT_TRUE(newer(a(), seen_by_a));
    EXPECT_TRUE(newer(b(), seen_by_b));
  }
  EXPECT_EQ(fetches(), 1U);
}

TEST_F(TwoWorkers, WhoMayNotFetchWaitsForTheOneWhoDoes) {
  const auto seen_by_a = *keys(a());
  const auto seen_by_b = *keys(b());
  world_.op.published = {&SigningKey::ec("second")};
  world_.io.forget();
  Root<NewerAnswer> first(a().provider.newer_keys(seen_by_a));
  Root<NewerAnswer> second(b().provider.newer_keys(seen_by_b));
  world_.settle();
  ASSERT_TRUE(first.ended() && second.ended());
  for (Root<NewerAnswer>* each : {&first, &second}) {
    const NewerAnswer answer = each->take();
    EXPECT_TRUE(answer->keys->has_kid("second"));
    EXPECT_TRUE(answer->asked);
  }
  EXPECT_EQ(fetches(), 1U);
}

TEST_F(TwoWorkers, DocumentsOfDifferentTrustAreNotShared) {
  Settings lax = sample_settings();
  lax.provider.ssl_verify = false;
  ScriptedWorker careless(lax, world_.loop, world_.io, world_.op, world_.store, world_.ledger, world_.shared,
                          world_.keys, world_.log);
  ASSERT_TRUE(keys(careless));
  world_.io.forget();
  ASSERT_TRUE(keys(a()));
  EXPECT_EQ(fetches(), 2U);
}

}  // namespace
}  // namespace oidc
