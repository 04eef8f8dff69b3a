// The provider's documents as one worker knows them.
#include "oidc/provider.h"

#include <gtest/gtest.h>

#include <string>

#include "scripted_world.h"

namespace oidc {
namespace {

using namespace test;

constexpr const char* kDiscovery = "GET /.well-known/openid-configuration";

class ProviderDocuments : public testing::Test {
 protected:
  auto metadata() { return world_.loop.run(world_.worker.provider.metadata()); }
  void ask() { static_cast<void>(metadata()); }
  auto keys() { return world_.loop.run(world_.worker.provider.keys()); }
  auto newer_keys(std::shared_ptr<const KeySet> seen) {
    return world_.loop.run(world_.worker.provider.newer_keys(std::move(seen)));
  }
  void pass_seconds(Seconds seconds) { world_.loop.advance(Milliseconds(seconds * 1000)); }
  [[nodiscard]] std::size_t fetches() const { return world_.io.count("GET"); }
  [[nodiscard]] std::size_t key_fetches() const { return world_.io.count("GET /jwks"); }
  void rotate() {
    world_.op.key = &SigningKey::ec("second");
    world_.op.published = {&SigningKey::ec("second")};
  }

  World world_;
};

TEST_F(ProviderDocuments, AreFetchedWhenAskedForAndKept) {
  EXPECT_EQ(fetches(), 0U);
  const auto first = metadata();
  ASSERT_TRUE(first);
  EXPECT_EQ((*first)->token_endpoint, "https://op.example.com/token");
  const auto second = metadata();
  EXPECT_EQ(*first, *second);
  EXPECT_EQ(world_.io.count(kDiscovery), 1U);
  ASSERT_TRUE(keys());
  ASSERT_TRUE(keys());
  EXPECT_EQ(key_fetches(), 1U);
}

TEST_F(ProviderDocuments, ManyAskAtOnceAndOneFetches) {
  std::vector<std::unique_ptr<Root<Result<std::shared_ptr<const KeySet>>>>> roots;
  for (int i = 0; i < 20; ++i) {
    roots.push_back(std::make_unique<Root<Result<std::shared_ptr<const KeySet>>>>(
        world_.worker.provider.keys()));
  }
  roots[0]->cancel();  // the one that began it
  world_.settle();
  for (std::size_t i = 1; i < roots.size(); ++i) {
    ASSERT_TRUE(roots[i]->ended());
    EXPECT_TRUE(roots[i]->take());
  }
  EXPECT_EQ(fetches(), 2U);
}

TEST_F(ProviderDocuments, AnOldOneServesWhileANewOneIsFetched) {
  const auto old = metadata();
  world_.op.metadata["token_endpoint"] = "https://op.example.com/token2";
  pass_seconds(3599);
  ask();
  EXPECT_EQ(fetches(), 1U);
  pass_seconds(1);
  EXPECT_EQ(*metadata(), *old);
  world_.settle();
  EXPECT_EQ(fetches(), 2U);
  EXPECT_EQ((*metadata())->token_endpoint, "https://op.example.com/token2");
  EXPECT_EQ(fetches(), 2U);
}

TEST_F(ProviderDocuments, AnOldOneOutlivesAnOutage) {
  const auto old = metadata();
  world_.io.break_all("GET", Fault::error);
  for (int i = 0; i < 100; ++i) {
    pass_seconds(600);
    EXPECT_EQ(*metadata(), *old);
  }
  EXPECT_GE(world_.log.count(Errc::provider_unreachable), 1U);
  world_.io.repair();
  pass_seconds(60);
  ask();
  world_.settle();
  EXPECT_NE(*metadata(), *old);
}

Settings resurrecting(Seconds seconds) {
  Settings settings = sample_settings();
  settings.provider.resurrect = seconds;
  return settings;
}

TEST(ResurrectedDocuments, ServeForAsLongAsIsAllowed) {
  World world(resurrecting(100));
  const auto get = [&world] { return world.loop.run(world.worker.provider.metadata()); };
  const auto old = get();
  ASSERT_TRUE(old);
  world.io.break_all("GET", Fault::error);
  world.loop.advance(Milliseconds(3600'000));
  EXPECT_EQ(*get(), *old) << "its life is over, and it serves";
  world.loop.advance(Milliseconds(99'000));
  EXPECT_EQ(*get(), *old);
  world.loop.advance(Milliseconds(1'000));
  EXPECT_EQ(code_of(get()), Errc::discovery_unavailable);
  world.io.repair();
  world.loop.advance(Milliseconds(31'000));
  EXPECT_TRUE(get()) << "a new one is waited for";
}

TEST(ResurrectedDocuments, OffWaitsForTheNewOne) {
  World world(resurrecting(0));
  ASSERT_TRUE(world.loop.run(world.worker.provider.metadata()));
  world.op.metadata["token_endpoint"] = "https://op.example.com/token2";
  world.loop.advance(Milliseconds(3600'000));
  EXPECT_EQ((*world.loop.run(world.worker.provider.metadata()))->token_endpoint,
            "https://op.example.com/token2");
}

TEST(ResurrectedDocuments, KeysToo) {
  World world(resurrecting(10));
  const auto get = [&world] { return world.loop.run(world.worker.provider.keys()); };
  ASSERT_TRUE(get());
  world.io.break_all("GET /jwks", Fault::error);
  world.loop.advance(Milliseconds(3600'000));
  EXPECT_TRUE(get());
  world.settle();
  world.loop.advance(Milliseconds(10'000));
  EXPECT_EQ(code_of(get()), Errc::provider_unreachable);
}

TEST_F(ProviderDocuments, FailuresBackOffFromOneToThirtySeconds) {
  world_.io.break_all("GET", Fault::error);
  std::vector<Seconds> attempts;
  const Seconds begin = world_.loop.now();
  for (int i = 0; i < 1000; ++i) {
    const std::size_t before = fetches();
    EXPECT_EQ(code_of(metadata()), Errc::discovery_unavailable);
    if (fetches() != before) attempts.push_back(world_.loop.now() - begin);
    world_.loop.advance(Milliseconds(100));
  }
  ASSERT_GE(attempts.size(), 7U);
  const Seconds pauses[] = {1, 2, 4, 8, 16, 30};
  for (std::size_t i = 0; i < 6; ++i) {
    EXPECT_NEAR(static_cast<double>(attempts[i + 1] - attempts[i]), static_cast<double>(pauses[i]),
                1.0)
        << i;
  }
}

TEST_F(ProviderDocuments, ASuccessEndsTheBackoff) {
  world_.io.break_all("GET", Fault::error);
  for (int i = 0; i < 4; ++i) {
    ask();
    pass_seconds(31);
  }
  world_.io.repair();
  ASSERT_TRUE(metadata());
  pass_seconds(3600);
  world_.io.break_all("GET", Fault::error);
  world_.io.forget();
  ask();
  world_.loop.advance(Milliseconds(1'500));
  ask();
  world_.loop.advance(Milliseconds(500));
  EXPECT_EQ(fetches(), 2U);  // a second later already
}

TEST_F(ProviderDocuments, SayWhatIsWrong) {
  world_.op.metadata["issuer"] = "https://evil.example";
  EXPECT_EQ(code_of(metadata()), Errc::discovery_issuer_mismatch);
  world_.op.metadata["issuer"] = kIssuer;
  world_.op.metadata["token_endpoint"] = "http://op.example.com/token";
  pass_seconds(60);
  EXPECT_EQ(code_of(metadata()), Errc::discovery_invalid);
  pass_seconds(60);
  world_.io.break_all("GET", Fault::refusal);
  EXPECT_EQ(code_of(metadata()), Errc::discovery_unavailable);
  pass_seconds(60);
  world_.io.break_all("GET", Fault::timeout);
  EXPECT_EQ(code_of(metadata()), Errc::discovery_unavailable);
}

TEST_F(ProviderDocuments, APseudoIssuerIsNotDiscovered) {
  auto& provider = world_.settings.provider;
  provider.discover = false;
  provider.authorization_endpoint = "https://a.example/authorize";
  provider.token_endpoint = "https://a.example/token";
  provider.jwks_endpoint = "https://op.example.com/jwks";
  EXPECT_EQ((*metadata())->token_endpoint, "https://a.example/token");
  EXPECT_EQ(fetches(), 0U);
  EXPECT_TRUE(keys());
  EXPECT_EQ(fetches(), 1U);
}

TEST_F(ProviderDocuments, AnUnknownKeyCausesOneFetch) {
  const auto old = *keys();
  rotate();
  const auto fresh = newer_keys(old);
  ASSERT_TRUE(fresh);
  EXPECT_NE(fresh->keys, old);
  EXPECT_TRUE(fresh->asked);
  EXPECT_TRUE(fresh->keys->has_kid("second"));
  EXPECT_EQ(key_fetches(), 2U);
}

TEST_F(ProviderDocuments, UnknownKeysAreThrottled) {
  auto seen = *keys();
  for (int i = 0; i < 50; ++i) {
    const auto answer = newer_keys(seen);
    ASSERT_TRUE(answer);
    EXPECT_EQ(answer->asked, i == 0);
    seen = answer->keys;
  }
  EXPECT_EQ(key_fetches(), 2U);
  pass_seconds(30);
  EXPECT_TRUE(newer_keys(seen));
  EXPECT_EQ(key_fetches(), 3U);
}

TEST_F(ProviderDocuments, WhoHasSeenTheOldOneGetsTheNewOneWithoutAFetch) {
  const auto old = *keys();
  rotate();
  EXPECT_TRUE(newer_keys(old));
  const auto known = newer_keys(old);
  EXPECT_TRUE(known->keys->has_kid("second"));
  EXPECT_FALSE(known->asked);
  EXPECT_EQ(key_fetches(), 2U);
}

// What is fetched because the old set is old takes no unknown key's turn.
TEST_F(ProviderDocuments, AScheduledFetchUsesUpNoTurn) {
  ASSERT_TRUE(keys());
  pass_seconds(4000);
  ASSERT_TRUE(keys());
  world_.settle();
  EXPECT_EQ(key_fetches(), 2U);
  const auto seen = *keys();
  rotate();
  const auto fresh = newer_keys(seen);
  ASSERT_TRUE(fresh);
  EXPECT_TRUE(fresh->asked);
  EXPECT_TRUE(fresh->keys->has_kid("second"));
}

TEST_F(ProviderDocuments, AFailedRefetchGivesTheOldOne) {
  const auto old = *keys();
  for (const Fault fault : {Fault::error, Fault::timeout, Fault::refusal}) {
    world_.io.break_all("GET /jwks", fault);
    const auto answer = newer_keys(old);
    ASSERT_TRUE(answer);
    EXPECT_EQ(answer->keys, old);
    EXPECT_FALSE(answer->asked);
    pass_seconds(60);
  }
}

TEST_F(ProviderDocuments, WithoutRoomToShareTheyStillServe) {
  world_.shared.full = true;
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(keys());
  EXPECT_EQ(fetches(), 2U);
}

TEST_F(ProviderDocuments, AWallClockThatIsSetBackDoesNotStopRenewal) {
  ask();
  world_.loop.shift_wall_clock(-86400);
  pass_seconds(3600);
  ask();
  world_.settle();
  EXPECT_EQ(world_.io.count(kDiscovery), 2U);
}

}  // namespace
}  // namespace oidc
