// Two flows of one session, the second begun after each step of the first. Logout beats everything
// in flight; a code or a refresh token is never sent twice.
#include <gtest/gtest.h>

#include <functional>
#include <string>

#include "flows_everywhere.h"

namespace oidc {
namespace {

using namespace test;

// Begins `first`, takes `steps` steps, begins `second`, and runs both to their ends.
// False when the first had ended before.
struct Both {
  bool overlapped = false;
  Outcome first, second;
};
Both run_both(World& world, Task<Outcome> first, const std::function<Task<Outcome>()>& second,
              std::size_t steps) {
  Both both;
  Root<Outcome> a(std::move(first));
  for (std::size_t i = 0; i < steps && !a.ended(); ++i) EXPECT_TRUE(world.loop.step());
  both.overlapped = !a.ended();
  Root<Outcome> b(second());
  world.settle();
  EXPECT_TRUE(a.ended() && b.ended());
  both.first = a.take();
  both.second = b.take();
  return both;
}

class DueWorld {
 public:
  explicit DueWorld(Seconds later = 250) {
    world.settings.logout.uri_suffix = "/logout";
    world.log_in(browser);
    EXPECT_TRUE(world.loop.run(sibling.provider.keys()));
    world.loop.advance(Milliseconds(later * 1000));
    world.settle();
    world.io.forget();
  }
  Task<Outcome> visit(ScriptedWorker& worker) {
    return access_flow(worker.services, browser.navigate("/"));
  }
  Task<Outcome> log_out(ScriptedWorker& worker) {
    return access_flow(worker.services, browser.post("/logout"));
  }

  World world;
  Browser browser;
  ScriptedWorker sibling{world.settings, world.loop,   world.io,   world.op,
                         world.store,    world.ledger, world.shared, world.keys, world.log};
};

void log_out_during_refresh(bool on_another_worker, const std::function<void(World&)>& spoil) {
  bool overlapped = true;
  std::size_t steps = 0;
  for (; overlapped; ++steps) {
    ASSERT_LT(steps, 1000U);
    SCOPED_TRACE("logout after step " + std::to_string(steps));
    DueWorld due;
    spoil(due.world);
    ScriptedWorker& worker = on_another_worker ? due.sibling : due.world.worker;
    const Both both = run_both(
        due.world, due.visit(due.world.worker), [&] { return due.log_out(worker); }, steps);
    overlapped = both.overlapped;
    EXPECT_TRUE(redirects_to(both.second, "https://op.example.com/logout?"));
    EXPECT_EQ(due.world.store.size(), 0U);
    EXPECT_TRUE(starts_login(due.world.access(due.browser.navigate("/"))));
    expect_quiet(due.world);
  }
  EXPECT_GE(steps, 5U);
}

TEST(Interleaved, LogoutBeatsARefresh) {
  log_out_during_refresh(false, plain);
  log_out_during_refresh(true, plain);
}

TEST(Interleaved, LogoutBeatsARefreshThatCouldNotBeStored) {
  const auto spoil = [](World& world) { world.io.break_all("store replace", Fault::error); };
  log_out_during_refresh(false, spoil);
  log_out_during_refresh(true, spoil);
}

TEST(Interleaved, LogoutBeatsAWriteThatIsLate) {
  log_out_during_refresh(true,
                         [](World& world) { world.io.break_all("store replace", Fault::timeout); });
}

TEST(Interleaved, LogoutBeatsARefusedRefresh) {
  log_out_during_refresh(true, [](World& world) { world.op.revoke_all(); });
}

TEST(Interleaved, TwoWorkersSendARefreshTokenOnce) {
  bool overlapped = true;
  for (std::size_t steps = 0; overlapped; ++steps) {
    ASSERT_LT(steps, 1000U);
    SCOPED_TRACE("the second worker after step " + std::to_string(steps));
    for (const Seconds later : {250, 400}) {
      DueWorld due(later);
      const Both both = run_both(
          due.world, due.visit(due.world.worker), [&] { return due.visit(due.sibling); }, steps);
      overlapped = both.overlapped;
      for (const Outcome& outcome : {both.first, both.second}) {
        ASSERT_TRUE(passes(outcome)) << describe(outcome);
        EXPECT_EQ(outcome.session->record().access_token, "access-3");
      }
      EXPECT_EQ(due.world.io.count("POST /token"), 1U);
      EXPECT_FALSE(due.world.op.token_was_reused);
      expect_quiet(due.world);
    }
  }
}

// Two machines share the store and nothing else.
TEST(Interleaved, TwoMachinesLoseNoSession) {
  bool overlapped = true;
  for (std::size_t steps = 0; overlapped; ++steps) {
    ASSERT_LT(steps, 1000U);
    SCOPED_TRACE("the second machine after step " + std::to_string(steps));
    DueWorld due;
    SharedTable elsewhere(due.world.loop);
    ScriptedWorker far(due.world.settings, due.world.loop, due.world.io, due.world.op,
                       due.world.store, due.world.ledger, elsewhere, due.world.keys, due.world.log);
    ASSERT_TRUE(due.world.loop.run(far.provider.keys()));
    const Both both = run_both(
        due.world, due.visit(due.world.worker), [&] { return due.visit(far); }, steps);
    overlapped = both.overlapped;
    for (const Outcome& outcome : {both.first, both.second}) {
      ASSERT_TRUE(passes(outcome)) << describe(outcome);
      EXPECT_EQ(outcome.session->record().access_token, "access-3");
    }
    EXPECT_EQ(due.world.store.size(), 1U);
  }
}

TEST(Interleaved, ACodeIsSentOnce) {
  bool overlapped = true;
  for (std::size_t steps = 0; overlapped; ++steps) {
    ASSERT_LT(steps, 1000U);
    SCOPED_TRACE("the second request after step " + std::to_string(steps));
    World world;
    Browser browser;
    keep_answer(world, browser);
    ScriptedWorker sibling(world.settings, world.loop, world.io, world.op, world.store,
                           world.ledger, world.shared, world.keys, world.log);
    ScriptedBody none(world.io, "");
    world.io.forget();
    const Both both = run_both(
        world, begin_callback(world, browser, none),
        [&] {
          return callback_flow({&sibling.services},
                               browser.navigate("/callback?" + kept_answer(browser)), none);
        },
        steps);
    overlapped = both.overlapped;
    EXPECT_EQ(world.io.count("POST /token"), 1U);
    EXPECT_EQ(world.store.size(), 1U);
    EXPECT_EQ(redirects_to(both.first, "https://app.example.org/wanted") +
                  redirects_to(both.second, "https://app.example.org/wanted"),
              1);
  }
}

// A second tab logs in anew while the first tab's request is on its way, or logs out.
TEST(Interleaved, ANewLoginDuringALogoutLeavesTheNewSessionAlone) {
  bool overlapped = true;
  for (std::size_t steps = 0; overlapped; ++steps) {
    ASSERT_LT(steps, 1000U);
    SCOPED_TRACE("logout after step " + std::to_string(steps));
    DueWorld due(1);
    LoginStart start;
    start.target = "/wanted";
    const Outcome begun = due.world.loop.run(
        start_login(due.world.worker.services, due.browser.navigate("/wanted"), start));
    due.browser.take(begun);
    const Form answer = due.world.op.authorize(World::location(begun));
    due.browser.cookies["test-answer"] = {answer.encode(), ""};
    ScriptedBody none(due.world.io, "");
    const Both both = run_both(
        due.world, begin_callback(due.world, due.browser, none),
        [&] { return due.log_out(due.world.worker); }, steps);
    overlapped = both.overlapped;
    EXPECT_TRUE(redirects_to(both.first, "https://app.example.org/wanted"));
    ASSERT_NE(both.first.session, nullptr);
    EXPECT_TRUE(due.world.store.has(both.first.session->key()));
    EXPECT_EQ(due.world.store.size(), 1U);  // the old one is gone
  }
}

}  // namespace
}  // namespace oidc
