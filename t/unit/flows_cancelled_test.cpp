// Each flow, cancelled after each step that the loop takes: the browser has left. Under ASan this
// finds what outlives its frame, and what does not.
#include <gtest/gtest.h>

#include <string>

#include "flows_everywhere.h"

namespace oidc {
namespace {

using namespace test;

class CancelledFlow : public testing::TestWithParam<std::size_t> {
 protected:
  [[nodiscard]] const Scenario& scenario() const { return scenarios()[GetParam()]; }
};

// What the token endpoint gave away has reached the store, although nobody waited for it.
struct Exchanges {
  explicit Exchanges(const World& world)
      : codes(world.op.codes_redeemed),
        refreshes(world.op.refreshes),
        inserts(world.store.inserts()) {}

  void expect_stored(World& world, const Browser& browser) const {
    EXPECT_EQ(world.store.inserts() - inserts, world.op.codes_redeemed - codes);
    if (world.op.refreshes == refreshes) return;
    const auto session = world.session_of(browser);
    ASSERT_NE(session, nullptr);
    EXPECT_EQ(session->record().access_token, "access-3");
  }

  std::size_t codes, refreshes, inserts;
};

TEST_P(CancelledFlow, AtEachStep) {
  bool ended = false;
  std::size_t steps = 0;
  for (; !ended; ++steps) {
    ASSERT_LT(steps, 1000U);
    SCOPED_TRACE(std::string(scenario().name) + ", cancelled after step " + std::to_string(steps));
    Prepared prepared(scenario());
    World& world = prepared.world;
    const Exchanges before(world);
    {
      Root<Outcome> root(scenario().begin(world, prepared.browser, prepared.body));
      for (std::size_t i = 0; i < steps && !root.ended(); ++i) ASSERT_TRUE(world.loop.step());
      ended = root.ended();
      root.cancel();
    }
    world.settle();
    expect_quiet(world);
    if (scenario().stores_only_exchanges) before.expect_stored(world, prepared.browser);
    expect_recovery(world, prepared.browser);
  }
  // The flow did wait for something: else this has shown nothing.
  EXPECT_GE(steps, scenario().waits ? 2U : 1U);
}

// Two requests wait for one exchange; the one that began it leaves.
TEST_P(CancelledFlow, WhileASecondRequestWaits) {
  bool ended = false;
  for (std::size_t steps = 0; !ended; ++steps) {
    ASSERT_LT(steps, 1000U);
    SCOPED_TRACE(std::string(scenario().name) + ", cancelled after step " + std::to_string(steps));
    Prepared prepared(scenario());
    World& world = prepared.world;
    Root<Outcome> staying(scenario().begin(world, prepared.browser, prepared.body));
    Root<Outcome> leaving(scenario().begin(world, prepared.browser, prepared.body));
    for (std::size_t i = 0; i < steps && !leaving.ended(); ++i) ASSERT_TRUE(world.loop.step());
    ended = leaving.ended();
    leaving.cancel();
    world.settle();
    ASSERT_TRUE(staying.ended());
    const Outcome outcome = staying.take();
    if (passes(outcome) && !scenario().passes_anonymous) {
      EXPECT_NE(outcome.session, nullptr);
    }
    EXPECT_NE(outcome.reason, Errc::internal) << describe(outcome);
    expect_quiet(world);
    EXPECT_LE(world.io.count("POST /token"), 1U);
  }
}

// The worker exits: its tasks are cancelled too, at any moment.
TEST_P(CancelledFlow, WithTheWholeWorker) {
  bool ended = false;
  for (std::size_t steps = 0; !ended; ++steps) {
    ASSERT_LT(steps, 1000U);
    Prepared prepared(scenario());
    World& world = prepared.world;
    Root<Outcome> root(scenario().begin(world, prepared.browser, prepared.body));
    for (std::size_t i = 0; i < steps && !root.ended(); ++i) ASSERT_TRUE(world.loop.step());
    ended = root.ended();
    world.loop.cancel_tasks();
    root.cancel();
    EXPECT_FALSE(world.loop.step());
    EXPECT_EQ(world.loop.timers(), 0U);
  }
}

INSTANTIATE_TEST_SUITE_P(All, CancelledFlow, testing::Range(std::size_t{0}, scenarios().size()),
                         [](const auto& info) { return test_name(scenarios()[info.param]); });

}  // namespace
}  // namespace oidc
