// Each flow, with each of its calls to the outside ending by an exception: a bug, or no memory. The
// request may end by it too (the web server's 500), but nobody else may wait for ever.
#include <gtest/gtest.h>

#include <stdexcept>
#include <string>

#include "flows_everywhere.h"

namespace oidc {
namespace {

using namespace test;

class ThrowingFlow : public testing::TestWithParam<std::size_t> {
 protected:
  [[nodiscard]] const Scenario& scenario() const { return scenarios()[GetParam()]; }

  // Whether the request was let through.
  static bool passed(Root<Outcome>& root) {
    try {
      return passes(root.take());
    } catch (const std::runtime_error& failure) {
      EXPECT_STREQ(failure.what(), "scripted");
      return false;
    }
  }
};

TEST_P(ThrowingFlow, AtEachCall) {
  for (std::size_t call = 0;; ++call) {
    ASSERT_LT(call, 100U);
    Prepared prepared(scenario());
    World& world = prepared.world;
    const bool logged_in = world.session_of(prepared.browser) != nullptr;
    world.io.fail_at(call, Fault::exception);
    Root<Outcome> first(scenario().begin(world, prepared.browser, prepared.body));
    Root<Outcome> second(scenario().begin(world, prepared.browser, prepared.body));
    const std::uint64_t begun = world.loop.monotonic_ms();
    while (!first.ended() || !second.ended()) ASSERT_TRUE(world.loop.step());
    const bool reached = world.io.calls().size() > call;
    SCOPED_TRACE(std::string(scenario().name) + ": " +
                 (reached ? world.io.calls()[call] : "nothing") + " throws");
    EXPECT_LE(world.loop.monotonic_ms() - begun, 5'000U) << "somebody was not told";
    const bool may_pass = logged_in || scenario().may_pass || scenario().passes_anonymous;
    for (Root<Outcome>* root : {&first, &second}) EXPECT_TRUE(!passed(*root) || may_pass);
    world.settle();
    expect_nothing_waits(world);
    if (scenario().passes_anonymous) {
      world.settings.unauthenticated = Unauthenticated::redirect;
    }
    expect_recovery(world, prepared.browser);
    if (!reached) break;
  }
}

INSTANTIATE_TEST_SUITE_P(All, ThrowingFlow, testing::Range(std::size_t{0}, scenarios().size()),
                         [](const auto& info) { return test_name(scenarios()[info.param]); });

}  // namespace
}  // namespace oidc
