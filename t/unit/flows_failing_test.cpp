// Each flow, with each of its calls to the outside failing in each way.
#include <gtest/gtest.h>

#include <string>

#include "flows_everywhere.h"

namespace oidc {
namespace {

using namespace test;

const char* name_of(Fault fault) {
  switch (fault) {
    case Fault::error:
      return "error";
    case Fault::timeout:
      return "timeout";
    case Fault::refusal:
      return "refusal";
    case Fault::none:
    case Fault::exception:
      break;
  }
  return "none";
}

class FailingFlow : public testing::TestWithParam<std::tuple<std::size_t, Fault>> {
 protected:
  [[nodiscard]] const Scenario& scenario() const { return scenarios()[std::get<0>(GetParam())]; }
  [[nodiscard]] Fault fault() const { return std::get<1>(GetParam()); }
};

// No answer is surprising: a pass has a living session, a refusal has a reason of its own, and
// nothing is ever the module's own fault.
void expect_sensible(World& world, const Outcome& outcome, bool may_pass_anonymous) {
  switch (outcome.kind) {
    case Outcome::Kind::pass:
      if (outcome.session == nullptr) {
        EXPECT_TRUE(may_pass_anonymous);
        break;
      }
      EXPECT_EQ(outcome.session->record().subject, "alice");
      EXPECT_TRUE(is_alive(outcome.session->record(), world.settings, world.loop.now()));
      EXPECT_FALSE(is_access_token_expired(outcome.session->record(), world.loop.now()));
      break;
    case Outcome::Kind::answer:
      if (outcome.status != 302 && outcome.status != 303 && outcome.status != 200) {
        EXPECT_GE(outcome.status, 400);
        EXPECT_NE(outcome.reason, Errc::none);
        EXPECT_NE(outcome.reason, Errc::internal);
      }
      EXPECT_TRUE(World::header(outcome, "Cache-Control").ends_with("no-store"));
      break;
    case Outcome::Kind::deny:
      EXPECT_GE(outcome.status, 400);
      EXPECT_NE(outcome.reason, Errc::none);
      EXPECT_NE(outcome.reason, Errc::internal);
      EXPECT_EQ(World::header(outcome, "Cache-Control"), "private, no-store");
      break;
    case Outcome::Kind::reroute:
      ADD_FAILURE() << "nobody asked for this";
  }
  // A session's cookie is only handed out for a session that is in the store.
  for (const std::string& cookie : outcome.set_cookies) {
    if (cookie.starts_with("__Host-session=") && cookie.find("Max-Age=0") == std::string::npos) {
      ASSERT_NE(outcome.session, nullptr);
      EXPECT_TRUE(world.store.has(outcome.session->key()));
    }
  }
}

TEST_P(FailingFlow, AtEachCall) {
  const std::string name = scenario().name;
  for (std::size_t call = 0;; ++call) {
    ASSERT_LT(call, 100U);
    Prepared prepared(scenario());
    World& world = prepared.world;
    world.io.fail_at(call, fault());
    Root<Outcome> root(scenario().begin(world, prepared.browser, prepared.body));
    for (int steps = 0; !root.ended(); ++steps) {
      ASSERT_LT(steps, 10'000) << name;
      ASSERT_TRUE(world.loop.step()) << name << " waits for ever";
    }
    if (world.io.calls().size() <= call) world.settle();
    if (world.io.calls().size() <= call) {
      EXPECT_GE(call, scenario().waits ? 1U : 0U);
      break;
    }
    SCOPED_TRACE(name + ": " + world.io.calls()[call] + " fails");
    const Outcome outcome = root.take();
    expect_sensible(world, outcome, scenario().passes_anonymous);
    world.settle();
    expect_quiet(world);
    scenario().then(world, prepared.browser, outcome);
    Browser browser = prepared.browser;
    browser.take(outcome);
    if (scenario().passes_anonymous) world.settings.unauthenticated = Unauthenticated::redirect;
    expect_recovery(world, browser);
  }
}

// Everything of one kind fails for a while: nobody waits longer than promised.
TEST_P(FailingFlow, WhileAllOfItFails) {
  for (const char* kind : {"GET", "POST", "store", "body", ""}) {
    SCOPED_TRACE(std::string(scenario().name) + ": all fails of " + kind);
    Prepared prepared(scenario());
    World& world = prepared.world;
    world.io.break_all(kind, fault());
    const std::uint64_t begun = world.loop.monotonic_ms();
    Root<Outcome> root(scenario().begin(world, prepared.browser, prepared.body));
    while (!root.ended()) ASSERT_TRUE(world.loop.step());
    EXPECT_LE(world.loop.monotonic_ms() - begun, 60'000U);
    const Outcome outcome = root.take();
    expect_sensible(world, outcome, scenario().passes_anonymous);
    world.settle();
    expect_quiet(world);
    scenario().then(world, prepared.browser, outcome);
    Browser browser = prepared.browser;
    browser.take(outcome);
    if (scenario().passes_anonymous) world.settings.unauthenticated = Unauthenticated::redirect;
    expect_recovery(world, browser);
  }
}

INSTANTIATE_TEST_SUITE_P(All, FailingFlow,
                         testing::Combine(testing::Range(std::size_t{0}, scenarios().size()),
                                          testing::Values(Fault::error, Fault::timeout,
                                                          Fault::refusal)),
                         [](const auto& info) {
                           const Scenario& scenario = scenarios()[std::get<0>(info.param)];
                           return test_name(scenario) + "_" + name_of(std::get<1>(info.param));
                         });

}  // namespace
}  // namespace oidc
