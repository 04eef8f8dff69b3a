#include "oidc/task.h"

#include <gtest/gtest.h>

#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include "scripted_loop.h"

namespace oidc {
namespace {

using test::Root;
using test::ScriptedLoop;

// Notes when it dies: for telling when a frame's locals went.
class Tracer {
 public:
  Tracer(std::vector<std::string>& log, std::string name) : log_(log), name_(std::move(name)) {}
  Tracer(const Tracer&) = delete;
  Tracer& operator=(const Tracer&) = delete;
  ~Tracer() { log_.push_back("~" + name_); }

 private:
  std::vector<std::string>& log_;
  std::string name_;
};

Task<int> answer(int value) {
  co_return value;
}

Task<int> sum_of_two() {
  const int a = co_await answer(40);
  const int b = co_await answer(2);
  co_return a + b;
}

Task<int> failing() {
  throw std::runtime_error("broken");
  co_return 0;
}

Task<std::string> catching() {
  try {
    co_await failing();
  } catch (const std::runtime_error& error) {
    co_return std::string("caught ") + error.what();
  }
  co_return "not reached";
}

Task<int> passing_on() {
  const int value = co_await failing();
  co_return value;
}

Task<void> nothing() {
  co_return;
}

Task<void> mark(bool* ran) {
  *ran = true;
  co_return;
}

Task<std::unique_ptr<int>> move_only() {
  co_return std::make_unique<int>(7);
}

Task<int> nap(Loop& loop, std::vector<std::string>& log, std::string name) {
  const Tracer tracer(log, std::move(name));
  co_await sleep_for(loop, Milliseconds(10));
  co_return 1;
}

Task<int> nested_nap(Loop& loop, std::vector<std::string>& log) {
  const Tracer tracer(log, "outer");
  const int first = co_await nap(loop, log, "first");
  const int second = co_await nap(loop, log, "second");
  co_return first + second;
}

Task<int> countdown(int depth) {
  if (depth == 0) co_return 0;
  const int below = co_await countdown(depth - 1);
  co_return below + 1;
}

Task<long> many_awaits(int count) {
  long sum = 0;
  for (int i = 0; i < count; ++i) sum += co_await answer(1);
  co_return sum;
}

TEST(Task, IsLazy) {
  bool ran = false;
  Task<void> task = mark(&ran);
  EXPECT_TRUE(task.valid());
  EXPECT_FALSE(task.done());
  EXPECT_FALSE(ran);
  const Root<void> root(std::move(task));
  EXPECT_TRUE(ran);
  EXPECT_TRUE(root.ended());
}

TEST(Task, NeverStartedRunsNothing) {
  bool ran = false;
  { const Task<void> task = mark(&ran); }
  EXPECT_FALSE(ran);
}

TEST(Task, AwaitsOthersAndReturnsTheirValues) {
  Root<int> root(sum_of_two());
  ASSERT_TRUE(root.ended());
  EXPECT_EQ(root.take(), 42);
}

TEST(Task, TellsOnceThatItEndedEvenWithoutSuspending) {
  const Root<void> root(nothing());
  EXPECT_EQ(root.times_ended(), 1);
}

TEST(Task, CarriesMoveOnlyValues) {
  Root<std::unique_ptr<int>> root(move_only());
  ASSERT_TRUE(root.ended());
  EXPECT_EQ(*root.take(), 7);
}

TEST(Task, ExceptionReachesTheAwaiter) {
  Root<std::string> root(catching());
  ASSERT_TRUE(root.ended());
  EXPECT_EQ(root.take(), "caught broken");
}

TEST(Task, UncaughtExceptionReachesTheRootsTake) {
  Root<int> root(passing_on());
  ASSERT_TRUE(root.ended());
  EXPECT_THROW(root.take(), std::runtime_error);
}

TEST(Task, MoveLeavesTheSourceInvalid) {
  Task<int> source = answer(3);
  Task<int> target = std::move(source);
  EXPECT_FALSE(source.valid());  // NOLINT(bugprone-use-after-move): what is tested
  Root<int> root(std::move(target));
  EXPECT_EQ(root.take(), 3);
}

TEST(Task, MoveAssignmentCancelsWhatWasThere) {
  ScriptedLoop loop;
  std::vector<std::string> log;
  Task<int> task = nap(loop, log, "old");
  task.start([](void*) noexcept {}, nullptr);
  EXPECT_EQ(loop.timers(), 1U);
  task = answer(5);
  EXPECT_EQ(log, std::vector<std::string>{"~old"});
  EXPECT_EQ(loop.timers(), 0U);
}

TEST(Task, DestroyedAtItsFirstAwaitCancelsTheLeaf) {
  ScriptedLoop loop;
  std::vector<std::string> log;
  Root<int> root(nested_nap(loop, log));
  EXPECT_EQ(loop.timers(), 1U);
  root.cancel();
  // The outer frame is destroyed from within outwards: first what it waits for.
  EXPECT_EQ(log, (std::vector<std::string>{"~first", "~outer"}));
  EXPECT_EQ(loop.timers(), 0U);
  loop.advance(100);
  EXPECT_EQ(root.times_ended(), 0);
}

TEST(Task, DestroyedAtItsSecondAwaitCancelsThatLeaf) {
  ScriptedLoop loop;
  std::vector<std::string> log;
  Root<int> root(nested_nap(loop, log));
  loop.advance(15);
  EXPECT_EQ(log, std::vector<std::string>{"~first"});
  EXPECT_EQ(loop.timers(), 1U);
  root.cancel();
  EXPECT_EQ(log, (std::vector<std::string>{"~first", "~second", "~outer"}));
  EXPECT_EQ(loop.timers(), 0U);
}

TEST(Task, RunsToItsEndOverTheLoop) {
  ScriptedLoop loop;
  std::vector<std::string> log;
  Root<int> root(nested_nap(loop, log));
  loop.advance(19);
  EXPECT_FALSE(root.ended());
  loop.advance(1);
  ASSERT_TRUE(root.ended());
  EXPECT_EQ(root.take(), 2);
}

TEST(Task, NestsDeeply) {
  Root<int> root(countdown(1000));
  ASSERT_TRUE(root.ended());
  EXPECT_EQ(root.take(), 1000);
}

TEST(Task, AwaitsManyInALoop) {
  Root<long> root(many_awaits(10000));
  ASSERT_TRUE(root.ended());
  EXPECT_EQ(root.take(), 10000);
}

}  // namespace
}  // namespace oidc
