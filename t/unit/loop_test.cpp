#include "oidc/loop.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include "scripted_loop.h"

namespace oidc {
namespace {

using test::Root;
using test::ScriptedLoop;
using Names = std::vector<std::string>;
using SharedText = std::shared_ptr<Promised<std::string>>;

Task<void> sleeper(Loop& loop, int milliseconds, Names& log, std::string name) {
  co_await sleep_for(loop, Milliseconds(milliseconds));
  log.push_back(name);
}

Task<std::string> waiting(Loop& loop, SharedText promised, int patience) {
  const std::optional<std::string> value =
      co_await wait_for(loop, promised, Milliseconds(patience));
  co_return value.value_or("gave up");
}

Task<void> noting(Loop& loop, SharedText promised, Names& log, std::string name) {
  const std::optional<std::string> value = co_await wait_for(loop, promised, Milliseconds(1000));
  log.push_back(name + "=" + value.value_or("gave up"));
}

Task<void> throwing(Loop& loop) {
  co_await sleep_for(loop, Milliseconds(5));
  throw std::runtime_error("lost");
}

Task<void> producing(Loop& loop, SharedText promised) {
  co_await sleep_for(loop, Milliseconds(5));
  promised->set("made");
}

SharedText make_promised() {
  return std::make_shared<Promised<std::string>>();
}

TEST(Sleep, WakesAtItsTimeAndNotBefore) {
  ScriptedLoop loop;
  Names log;
  const Root<void> root(sleeper(loop, 10, log, "a"));
  loop.advance(9);
  EXPECT_TRUE(log.empty());
  loop.advance(1);
  EXPECT_EQ(log, Names{"a"});
  EXPECT_TRUE(root.ended());
  EXPECT_EQ(loop.timers(), 0U);
}

TEST(Sleep, SeveralWakeInTheOrderOfTheirTimes) {
  ScriptedLoop loop;
  Names log;
  const Root<void> late(sleeper(loop, 30, log, "late"));
  const Root<void> early(sleeper(loop, 10, log, "early"));
  const Root<void> middle(sleeper(loop, 20, log, "middle"));
  loop.advance(100);
  EXPECT_EQ(log, (Names{"early", "middle", "late"}));
}

TEST(Sleep, OfNothingStillGoesThroughTheLoop) {
  ScriptedLoop loop;
  Names log;
  const Root<void> root(sleeper(loop, 0, log, "a"));
  EXPECT_FALSE(root.ended());
  loop.run_until_idle();
  EXPECT_TRUE(root.ended());
}

TEST(Sleep, CancelledNeverWakes) {
  ScriptedLoop loop;
  Names log;
  Root<void> root(sleeper(loop, 10, log, "a"));
  root.cancel();
  loop.advance(100);
  EXPECT_TRUE(log.empty());
  EXPECT_EQ(loop.resumptions(), 0U);
}

TEST(WaitFor, AValueThatIsThereNeedsNoSuspension) {
  ScriptedLoop loop;
  const SharedText promised = make_promised();
  promised->set("here");
  Root<std::string> root(waiting(loop, promised, 10));
  ASSERT_TRUE(root.ended());
  EXPECT_EQ(root.take(), "here");
  EXPECT_EQ(loop.timers(), 0U);
}

TEST(WaitFor, SetPostsAndDoesNotResume) {
  ScriptedLoop loop;
  const SharedText promised = make_promised();
  Root<std::string> root(waiting(loop, promised, 10));
  EXPECT_TRUE(promised->awaited());
  promised->set("value");
  EXPECT_FALSE(root.ended());
  EXPECT_FALSE(loop.idle());
  loop.run_until_idle();
  ASSERT_TRUE(root.ended());
  EXPECT_EQ(root.take(), "value");
  EXPECT_FALSE(promised->awaited());
  EXPECT_EQ(loop.timers(), 0U);
}

TEST(WaitFor, GivesUpWhenPatienceEnds) {
  ScriptedLoop loop;
  const SharedText promised = make_promised();
  Root<std::string> root(waiting(loop, promised, 10));
  loop.advance(10);
  ASSERT_TRUE(root.ended());
  EXPECT_EQ(root.take(), "gave up");
  EXPECT_FALSE(promised->awaited());
  promised->set("too late");  // must not touch the waiter that left
  EXPECT_TRUE(loop.idle());
}

TEST(WaitFor, TheFirstSetCounts) {
  ScriptedLoop loop;
  const SharedText promised = make_promised();
  promised->set("first");
  promised->set("second");
  EXPECT_EQ(loop.run(waiting(loop, promised, 10)), "first");
}

TEST(WaitFor, AllWaitersGetTheValue) {
  ScriptedLoop loop;
  const SharedText promised = make_promised();
  Names log;
  const Root<void> a(noting(loop, promised, log, "a"));
  const Root<void> b(noting(loop, promised, log, "b"));
  const Root<void> c(noting(loop, promised, log, "c"));
  promised->set("x");
  loop.run_until_idle();
  EXPECT_TRUE(a.ended() && b.ended() && c.ended());
  std::ranges::sort(log);
  EXPECT_EQ(log, (Names{"a=x", "b=x", "c=x"}));
}

TEST(WaitFor, EachWaiterHasItsOwnPatience) {
  ScriptedLoop loop;
  const SharedText promised = make_promised();
  Root<std::string> impatient(waiting(loop, promised, 10));
  Root<std::string> patient(waiting(loop, promised, 100));
  loop.advance(50);
  ASSERT_TRUE(impatient.ended());
  EXPECT_EQ(impatient.take(), "gave up");
  EXPECT_FALSE(patient.ended());
  promised->set("v");
  loop.run_until_idle();
  ASSERT_TRUE(patient.ended());
  EXPECT_EQ(patient.take(), "v");
}

TEST(WaitFor, AnyOneOfThreeMayLeave) {
  for (int leaver = 0; leaver < 3; ++leaver) {
    ScriptedLoop loop;
    const SharedText promised = make_promised();
    Names log;
    Root<void> a(noting(loop, promised, log, "0"));
    Root<void> b(noting(loop, promised, log, "1"));
    Root<void> c(noting(loop, promised, log, "2"));
    Root<void>* const roots[] = {&a, &b, &c};
    roots[leaver]->cancel();
    promised->set("x");
    loop.run_until_idle();
    EXPECT_EQ(log.size(), 2U) << leaver;
    for (int i = 0; i < 3; ++i) EXPECT_EQ(roots[i]->ended(), i != leaver) << leaver;
  }
}

TEST(WaitFor, DestroyedWhileQueuedIsNotResumed) {
  for (int leaver = 0; leaver < 3; ++leaver) {
    ScriptedLoop loop;
    const SharedText promised = make_promised();
    Names log;
    Root<void> a(noting(loop, promised, log, "0"));
    Root<void> b(noting(loop, promised, log, "1"));
    Root<void> c(noting(loop, promised, log, "2"));
    Root<void>* const roots[] = {&a, &b, &c};
    promised->set("x");
    roots[leaver]->cancel();
    loop.run_until_idle();
    EXPECT_EQ(log.size(), 2U) << leaver;
    EXPECT_EQ(loop.resumptions(), 2U);
    EXPECT_EQ(loop.timers(), 0U);
  }
}

// One waiter's continuation destroys another that is queued behind it.
Task<void> killing(Loop& loop, SharedText promised, Root<void>*& victim) {
  co_await wait_for(loop, promised, Milliseconds(1000));
  victim->cancel();
}

TEST(WaitFor, AResumedWaiterMayCancelAnotherQueuedOne) {
  ScriptedLoop loop;
  const SharedText promised = make_promised();
  Names log;
  Root<void>* victim = nullptr;
  Root<void> other(noting(loop, promised, log, "victim"));
  const Root<void> killer(killing(loop, promised, victim));  // linked last, posted first
  victim = &other;
  promised->set("x");
  loop.run_until_idle();
  EXPECT_TRUE(killer.ended());
  EXPECT_FALSE(other.ended());
  EXPECT_TRUE(log.empty());
}

TEST(WaitFor, ValueAndTimeoutAtOnceIsTheValue) {
  ScriptedLoop loop;
  const SharedText promised = make_promised();
  const Root<void> producer(producing(loop, promised));
  Root<std::string> root(waiting(loop, promised, 5));
  loop.advance(5);
  ASSERT_TRUE(root.ended());
  EXPECT_EQ(root.take(), "made");
}

TEST(WaitFor, TheProducerMayForgetThePromise) {
  ScriptedLoop loop;
  SharedText promised = make_promised();
  Root<std::string> root(waiting(loop, promised, 10));
  promised.reset();
  loop.advance(10);
  ASSERT_TRUE(root.ended());
  EXPECT_EQ(root.take(), "gave up");
}

TEST(Waiter, PostingTwiceIsOnce) {
  ScriptedLoop loop;
  const SharedText promised = make_promised();
  Root<std::string> root(waiting(loop, promised, 10));
  promised->set("x");
  loop.advance(50);  // the timer would have been due as well
  EXPECT_EQ(root.times_ended(), 1);
  EXPECT_EQ(loop.resumptions(), 1U);
}

TEST(Waiter, TimeoutIsTold) {
  ScriptedLoop loop;
  Waiter waiter;
  waiter.handle = std::noop_coroutine();
  loop.arm(waiter, Milliseconds(5));
  loop.advance(4);
  EXPECT_FALSE(waiter.timed_out);
  loop.advance(1);
  EXPECT_TRUE(waiter.timed_out);
}

TEST(Waiter, RearmingReplacesTheTimer) {
  ScriptedLoop loop;
  Waiter waiter;
  waiter.handle = std::noop_coroutine();
  loop.arm(waiter, Milliseconds(5));
  loop.arm(waiter, Milliseconds(20));
  EXPECT_EQ(loop.timers(), 1U);
  loop.advance(10);
  EXPECT_FALSE(waiter.timed_out);
}

TEST(Waiter, MayOutliveTheLoop) {
  Waiter armed;
  Waiter queued;
  {
    ScriptedLoop loop;
    loop.arm(armed, Milliseconds(5));
    loop.post(queued);
  }
  EXPECT_EQ(queued.queued_in, nullptr);
}

TEST(Spawn, RunsWithoutAnyoneWaiting) {
  ScriptedLoop loop;
  const SharedText promised = make_promised();
  loop.spawn(producing(loop, promised));
  EXPECT_EQ(loop.running_tasks(), 1U);
  Root<std::string> root(waiting(loop, promised, 100));
  root.cancel();
  loop.advance(5);
  EXPECT_TRUE(promised->ready());
  EXPECT_EQ(loop.running_tasks(), 0U);
}

TEST(Spawn, FailuresAreTold) {
  ScriptedLoop loop;
  loop.spawn(throwing(loop));
  loop.advance(5);
  EXPECT_EQ(loop.failures(), Names{"lost"});
}

TEST(Spawn, WhatStillRunsIsCancelledWithTheLoop) {
  const SharedText promised = make_promised();
  {
    ScriptedLoop loop;
    loop.spawn(producing(loop, promised));
    EXPECT_EQ(promised.use_count(), 2);  // the frame holds one
  }
  EXPECT_EQ(promised.use_count(), 1);
  EXPECT_FALSE(promised->ready());
}

TEST(ScriptedLoopClock, BothClocksFollowVirtualTime) {
  ScriptedLoop loop(1000);
  EXPECT_EQ(loop.now(), 1000);
  const std::uint64_t start = loop.monotonic_ms();
  loop.advance(2500);
  EXPECT_EQ(loop.now(), 1002);
  EXPECT_EQ(loop.monotonic_ms(), start + 2500);
  loop.shift_wall_clock(-100);
  EXPECT_EQ(loop.now(), 902);
  EXPECT_EQ(loop.monotonic_ms(), start + 2500);
}

TEST(ScriptedLoopRun, ThrowsOnWhatNeverEnds) {
  ScriptedLoop loop;
  struct Never {
    bool await_ready() const noexcept { return false; }
    void await_suspend(std::coroutine_handle<>) const noexcept {}
    void await_resume() const noexcept {}
  };
  const auto hang = []() -> Task<void> { co_await Never(); };
  EXPECT_THROW(loop.run(hang()), std::logic_error);
}

}  // namespace
}  // namespace oidc
