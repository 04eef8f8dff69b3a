// A Loop for tests: virtual time, a ready queue in order of posting, and nothing happens by itself.
#pragma once

#include <cstddef>
#include <cstdint>
#include <list>
#include <map>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "oidc/loop.h"
#include "oidc/task.h"

namespace oidc::test {

class ScriptedLoop final : public Loop {
 public:
  explicit ScriptedLoop(Seconds now = 1'700'000'000) : wall_offset_ms_((now - 1) * 1000) {}
  ScriptedLoop(const ScriptedLoop&) = delete;
  ScriptedLoop& operator=(const ScriptedLoop&) = delete;

  // Waiters and timers that outlive the loop are let go of.
  ~ScriptedLoop() override {
    spawned_.clear();
    for (auto& entry : timers_) entry.second->loop_ = nullptr;
    while (first_ != nullptr) unpost(*first_);
  }

  [[nodiscard]] Seconds now() const override {
    return (wall_offset_ms_ + static_cast<Seconds>(monotonic_ms_)) / 1000;
  }
  [[nodiscard]] std::uint64_t monotonic_ms() const override { return monotonic_ms_; }

  void post(Waiter& waiter) override {
    if (waiter.queued_in != nullptr) return;
    waiter.queued_in = this;
    waiter.previous = last_;
    waiter.next = nullptr;
    (last_ != nullptr ? last_->next : first_) = &waiter;
    last_ = &waiter;
  }

  void unpost(Waiter& waiter) noexcept override {
    if (waiter.queued_in != this) return;
    (waiter.previous != nullptr ? waiter.previous->next : first_) = waiter.next;
    (waiter.next != nullptr ? waiter.next->previous : last_) = waiter.previous;
    waiter.previous = nullptr;
    waiter.next = nullptr;
    waiter.queued_in = nullptr;
  }

  void arm(Waiter& waiter, Milliseconds delay) override {
    waiter.timer.reset();
    auto timer = std::make_unique<ArmedTimer>(*this, waiter);
    const std::uint64_t wait = delay.count() > 0 ? static_cast<std::uint64_t>(delay.count()) : 0;
    timer->place_ = timers_.emplace(monotonic_ms_ + wait, timer.get());
    waiter.timer = std::move(timer);
  }

  // Starts the task at once, as nobody's callee, and keeps it until it has ended.
  void spawn(Task<void> task) override {
    Spawned& spawned = spawned_.emplace_back(Spawned{std::move(task)});
    spawned.task.start([](void* data) noexcept { static_cast<Spawned*>(data)->ended = true; },
                       &spawned);
  }

  // Resumes what is posted or due now, and what that posts in turn.
  void run_until_idle() {
    reap();
    for (;;) {
      fire_due_timers();
      if (first_ == nullptr) break;
      resume_first();
    }
  }

  // Lets `span` pass: each timer fires at its own time, in order, and everything runs in between.
  void advance(Milliseconds span) {
    const std::uint64_t end = monotonic_ms_ + static_cast<std::uint64_t>(span.count());
    run_until_idle();
    while (!timers_.empty() && timers_.begin()->first <= end) {
      monotonic_ms_ = timers_.begin()->first;
      run_until_idle();
    }
    monotonic_ms_ = end;
  }
  void advance(std::int64_t milliseconds) { advance(Milliseconds(milliseconds)); }

  // Moves the wall clock alone, as an administrator or NTP does.
  void shift_wall_clock(Seconds by) { wall_offset_ms_ += by * 1000; }

  // Jumps to the next timer and runs; false when there is none.
  bool advance_to_next_timer() {
    if (timers_.empty()) return false;
    if (timers_.begin()->first > monotonic_ms_) monotonic_ms_ = timers_.begin()->first;
    run_until_idle();
    return true;
  }

  // Resumes one waiter, the next timer's where none is ready; false when nothing is left to wait for.
  bool step() {
    reap();
    fire_due_timers();
    if (first_ == nullptr) {
      if (timers_.empty()) return false;
      monotonic_ms_ = timers_.begin()->first;
      fire_due_timers();
    }
    resume_first();
    return true;
  }

  // What a worker does that exits: spawned tasks are cancelled where they stand.
  void cancel_tasks() { spawned_.clear(); }

  // Starts `task` as a root and drives the loop, timers included, until it has ended. Throws
  // std::logic_error when it waits for something that will never come.
  template <class T>
  T run(Task<T> task) {
    bool ended = false;
    task.start([](void* data) noexcept { *static_cast<bool*>(data) = true; }, &ended);
    run_until_idle();
    while (!ended) {
      if (!advance_to_next_timer()) throw std::logic_error("the task waits for ever");
    }
    return task.take();
  }

  [[nodiscard]] bool idle() const { return first_ == nullptr; }
  [[nodiscard]] std::size_t timers() const { return timers_.size(); }
  [[nodiscard]] std::size_t running_tasks() const { return spawned_.size(); }
  [[nodiscard]] std::size_t resumptions() const { return resumptions_; }
  // what() of the exceptions that ended spawned tasks.
  [[nodiscard]] const std::vector<std::string>& failures() const { return failures_; }

 private:
  struct ArmedTimer;
  using Timers = std::multimap<std::uint64_t, ArmedTimer*>;

  struct ArmedTimer final : Waiter::Timer {
    ArmedTimer(ScriptedLoop& loop, Waiter& waiter) : loop_(&loop), waiter_(&waiter) {}
    ~ArmedTimer() override {
      if (loop_ != nullptr) loop_->timers_.erase(place_);
    }
    ScriptedLoop* loop_;  // nullptr: fired, or the loop is gone
    Waiter* waiter_;
    Timers::iterator place_;
  };

  struct Spawned {
    Task<void> task;
    bool ended = false;
  };

  void resume_first() {
    Waiter& waiter = *first_;
    unpost(waiter);
    ++resumptions_;
    waiter.handle.resume();
    reap();
  }

  void fire_due_timers() {
    while (!timers_.empty() && timers_.begin()->first <= monotonic_ms_) {
      ArmedTimer& timer = *timers_.begin()->second;
      timers_.erase(timers_.begin());
      timer.loop_ = nullptr;
      timer.waiter_->timed_out = true;
      post(*timer.waiter_);
    }
  }

  void reap() {
    for (auto spawned = spawned_.begin(); spawned != spawned_.end();) {
      if (!spawned->ended) {
        ++spawned;
        continue;
      }
      try {
        spawned->task.take();
      } catch (const std::exception& failure) {
        failures_.emplace_back(failure.what());
      } catch (...) {
        failures_.emplace_back("not a std::exception");
      }
      spawned = spawned_.erase(spawned);
    }
  }

  Waiter* first_ = nullptr;
  Waiter* last_ = nullptr;
  Timers timers_;
  std::list<Spawned> spawned_;
  std::vector<std::string> failures_;
  std::uint64_t monotonic_ms_ = 1000;
  Seconds wall_offset_ms_;
  std::size_t resumptions_ = 0;
};

// A root task under way: start, look, cancel.
template <class T>
class Root {
 public:
  explicit Root(Task<T> task) : task_(std::move(task)) {
    task_.start([](void* data) noexcept { ++*static_cast<int*>(data); }, &ended_);
  }
  Root(const Root&) = delete;
  Root& operator=(const Root&) = delete;

  [[nodiscard]] bool ended() const { return ended_ > 0; }
  [[nodiscard]] int times_ended() const { return ended_; }
  T take() { return task_.take(); }
  void cancel() { task_.reset(); }

 private:
  int ended_ = 0;
  Task<T> task_;
};

}  // namespace oidc::test
