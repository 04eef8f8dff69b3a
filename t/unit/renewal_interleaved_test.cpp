// A renewal of the sid, and a logout, a refresh or another renewal begun after each of its steps; and
// the other way round.
#include <gtest/gtest.h>

#include <functional>
#include <string>

#include "flows_everywhere.h"

namespace oidc {
namespace {

using namespace test;

class DueWorld {
 public:
  // Tokens live for `token_life`; the sid is due for renewal.
  explicit DueWorld(int token_life) {
    world.settings.session.rolling_timeout = 3600;
    world.settings.session.idling_timeout = 0;
    world.settings.logout.uri_suffix = "/logout";
    world.op.expires_in = token_life;
    world.log_in(browser);
    EXPECT_TRUE(world.loop.run(sibling.provider.keys()));
    world.loop.advance(Milliseconds(2'700'000));
    world.settle();
    world.io.forget();
  }
  Task<Outcome> visit(ScriptedWorker& worker) {
    return access_flow(worker.services, browser.navigate("/"));
  }
  Task<Outcome> log_out(ScriptedWorker& worker) {
    return access_flow(worker.services, browser.post("/logout"));
  }
  [[nodiscard]] std::shared_ptr<const OpenSession> session() { return world.session_of(browser); }

  World world;
  Browser browser;
  SharedTable elsewhere{world.loop};
  ScriptedWorker sibling{world.settings, world.loop, world.io, world.op,  world.store,
                         world.ledger,   elsewhere,  world.keys, world.log};
};

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

using Begin = std::function<Task<Outcome>(DueWorld&)>;

// Runs `second` after each step of `first`, until the first has ended by then.
void interleave(int token_life, const Begin& first, const Begin& second,
                const std::function<void(DueWorld&, const Both&)>& expect,
                const std::function<void(World&)>& spoil = plain) {
  bool overlapped = true;
  std::size_t steps = 0;
  for (; overlapped; ++steps) {
    ASSERT_LT(steps, 1000U);
    SCOPED_TRACE("the second after step " + std::to_string(steps));
    DueWorld due(token_life);
    spoil(due.world);
    const Both both =
        run_both(due.world, first(due), [&] { return second(due); }, steps);
    overlapped = both.overlapped;
    expect(due, both);
    expect_quiet(due.world);
  }
  EXPECT_GE(steps, 4U);
}

Task<Outcome> here(DueWorld& due) { return due.visit(due.world.worker); }
Task<Outcome> there(DueWorld& due) { return due.visit(due.sibling); }
Task<Outcome> out_here(DueWorld& due) { return due.log_out(due.world.worker); }
Task<Outcome> out_there(DueWorld& due) { return due.log_out(due.sibling); }

void expect_logged_out(DueWorld& due, const Outcome& visit, const Outcome& out) {
  EXPECT_TRUE(redirects_to(out, "https://op.example.com/logout?")) << describe(out);
  EXPECT_EQ(due.world.store.size(), 0U);
  Browser late = due.browser;
  late.take(visit);  // its answer may come after the logout's
  EXPECT_TRUE(starts_login(due.world.access(late.navigate("/"))));
}

TEST(RenewalInterleaved, LogoutBeatsARenewal) {
  const auto expect = [](DueWorld& due, const Both& both) {
    expect_logged_out(due, both.first, both.second);
  };
  interleave(86'400, here, out_here, expect);
  interleave(86'400, here, out_there, expect);
}

TEST(RenewalInterleaved, ARenewalDuringALogoutBringsNothingBack) {
  interleave(86'400, out_here, there, [](DueWorld& due, const Both& both) {
    expect_logged_out(due, both.second, both.first);
  });
}

// The session is due for a refresh and for a new sid.
TEST(RenewalInterleaved, LogoutBeatsARefreshAndARenewal) {
  interleave(2'710, here, out_there, [](DueWorld& due, const Both& both) {
    expect_logged_out(due, both.first, both.second);
  });
}

TEST(RenewalInterleaved, TwoRenewalsAreOne) {
  interleave(86'400, here, there, [](DueWorld& due, const Both& both) {
    ASSERT_TRUE(passes(both.first)) << describe(both.first);
    ASSERT_TRUE(passes(both.second)) << describe(both.second);
    EXPECT_EQ(both.first.set_cookies.size() + both.second.set_cookies.size(), 1U);
    due.browser.take(both.first);
    due.browser.take(both.second);
    due.world.loop.advance(Milliseconds(11'000));
    EXPECT_TRUE(passes(due.world.visit(due.browser, "/")));
    EXPECT_EQ(due.world.store.size(), 1U);
  });
}

// A location that renews and one whose refresh is due, at once: no rotated token is lost, none is
// sent twice.
TEST(RenewalInterleaved, ARefreshDuringARenewalLosesNoToken) {
  Settings patient = DueWorld(86'400).world.settings;
  for (const bool refresh_first : {true, false}) {
    bool overlapped = true;
    for (std::size_t steps = 0; overlapped; ++steps) {
      ASSERT_LT(steps, 1000U);
      SCOPED_TRACE((refresh_first ? "renewal after step " : "refresh after step ") +
                   std::to_string(steps));
      DueWorld due(2'710);
      // There, the refresh is not due yet: only the sid is.
      Settings lazy = sample_settings();
      lazy.session = SessionSettings();
      lazy.session.cookie = due.world.settings.session.cookie;
      lazy.session.rolling_timeout = 3600;
      lazy.session.idling_timeout = 0;
      lazy.token.refresh = false;
      ScriptedWorker renewing(lazy, due.world.loop, due.world.io, due.world.op, due.world.store,
                              due.world.ledger, due.elsewhere, due.world.keys, due.world.log);
      ASSERT_TRUE(due.world.loop.run(renewing.provider.metadata()));
      const auto refreshes = [&] { return due.visit(due.world.worker); };
      const auto renews = [&] { return due.visit(renewing); };
      const Both both = refresh_first ? run_both(due.world, refreshes(), renews, steps)
                                      : run_both(due.world, renews(), refreshes, steps);
      overlapped = both.overlapped;
      ASSERT_TRUE(passes(both.first)) << describe(both.first);
      ASSERT_TRUE(passes(both.second)) << describe(both.second);
      due.browser.take(both.first);
      due.browser.take(both.second);
      EXPECT_EQ(due.world.io.count("POST /token"), 1U);
      EXPECT_FALSE(due.world.op.token_was_reused);
      const auto session = due.session();
      ASSERT_NE(session, nullptr);
      EXPECT_EQ(session->record().access_token, "access-3");
      due.world.loop.advance(Milliseconds(11'000));
      EXPECT_TRUE(passes(due.world.visit(due.browser, "/")));
      EXPECT_EQ(due.world.store.size(), 1U);
    }
  }
}

// The store refuses the refreshed tokens for a while, and a renewal gets in between.
TEST(RenewalInterleaved, UnsavedTokensFollowTheSession) {
  DueWorld due(2'710);
  due.world.io.break_all("store replace", Fault::error);
  const Outcome refreshed = due.world.access(due.browser.navigate("/"));
  ASSERT_TRUE(passes(refreshed)) << describe(refreshed);
  EXPECT_EQ(refreshed.session->record().access_token, "access-3");
  due.world.io.repair();
  due.browser.take(due.world.access(due.browser.navigate("/")));
  due.world.settle();
  ASSERT_NE(due.session(), nullptr);
  EXPECT_EQ(due.session()->record().access_token, "access-3");
  EXPECT_EQ(due.world.io.count("POST /token"), 1U);
}

}  // namespace
}  // namespace oidc
