// The worker's event loop as the core sees it, and what flows wait on: a sleep, and a result that
// many may wait for. Nothing here ever resumes a coroutine from inside somebody's callback: a
// completion posts a Waiter, and only the loop's own event resumes it.
#pragma once

#include <chrono>
#include <coroutine>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <utility>

#include "oidc/task.h"
#include "oidc/time.h"

namespace oidc {

using Milliseconds = std::chrono::milliseconds;

class Loop;

// One suspended coroutine: may be posted (resumed by the loop's next round), and may have a timer
// that posts it. Lives in the awaiter, so inside the frame; its destructor takes it out of both.
class Waiter {
 public:
  Waiter() noexcept = default;
  Waiter(const Waiter&) = delete;
  Waiter& operator=(const Waiter&) = delete;
  ~Waiter();

  std::coroutine_handle<> handle;
  bool timed_out = false;  // set when the timer posted it

  // For Loop implementations: links of the ready queue, and the timer's own object.
  Waiter* previous = nullptr;
  Waiter* next = nullptr;
  Loop* queued_in = nullptr;
  struct Timer {
    virtual ~Timer() = default;  // disarms
  };
  std::unique_ptr<Timer> timer;
};

class Loop {
 public:
  virtual ~Loop() = default;

  // Wall clock, seconds since 1970 (nginx's cached time).
  [[nodiscard]] virtual Seconds now() const = 0;
  // Monotonic milliseconds (nginx's cached time).
  [[nodiscard]] virtual std::uint64_t monotonic_ms() const = 0;

  // Queues the waiter; its handle is resumed from the loop, never from here. Posting twice is once.
  virtual void post(Waiter& waiter) = 0;
  virtual void unpost(Waiter& waiter) noexcept = 0;
  // Sets waiter.timed_out and posts it after `delay`, unless the waiter dies or cancel_timer is
  // called before. The timer keeps a worker that shuts down alive until it fires.
  virtual void arm(Waiter& waiter, Milliseconds delay) = 0;

  // Runs a task that belongs to the worker, whoever waits for it; its failures are logged.
  virtual void spawn(Task<void> task) = 0;
};

inline Waiter::~Waiter() {
  timer.reset();
  if (queued_in != nullptr) queued_in->unpost(*this);
}

// co_await sleep_for(loop, delay);
class SleepAwaiter {
 public:
  SleepAwaiter(Loop& loop, Milliseconds delay) noexcept : loop_(loop), delay_(delay) {}
  bool await_ready() const noexcept { return false; }
  void await_suspend(std::coroutine_handle<> handle) {
    waiter_.handle = handle;
    loop_.arm(waiter_, delay_);
  }
  void await_resume() const noexcept {}

 private:
  Loop& loop_;
  Milliseconds delay_;
  Waiter waiter_;
};
[[nodiscard]] inline SleepAwaiter sleep_for(Loop& loop, Milliseconds delay) noexcept {
  return {loop, delay};
}

// A value that arrives once and that many coroutines may wait for, each with its own patience.
// Shared by pointer between the producer and the waiters: either side may go away first.
template <class T>
class Promised {
 public:
  [[nodiscard]] bool ready() const noexcept { return value_.has_value(); }
  [[nodiscard]] const T& value() const { return *value_; }
  [[nodiscard]] bool awaited() const noexcept { return first_ != nullptr; }

  // The first call counts. Posts every waiter.
  void set(T value) {
    if (value_) return;
    value_.emplace(std::move(value));
    for (Node* node = first_; node != nullptr; node = node->next) node->loop.post(node->waiter);
  }

 private:
  template <class U>
  friend class PromisedAwaiter;
  struct Node {
    explicit Node(Loop& its_loop) noexcept : loop(its_loop) {}
    Loop& loop;
    Waiter waiter;
    Node* previous = nullptr;
    Node* next = nullptr;
  };
  std::optional<T> value_;
  Node* first_ = nullptr;
};

// co_await wait_for(loop, promised, patience): the value's copy, or nullopt when patience ended.
template <class T>
class PromisedAwaiter {
 public:
  PromisedAwaiter(Loop& loop, std::shared_ptr<Promised<T>> promised, Milliseconds patience)
      : promised_(std::move(promised)), patience_(patience), node_(loop) {}
  PromisedAwaiter(const PromisedAwaiter&) = delete;
  PromisedAwaiter& operator=(const PromisedAwaiter&) = delete;
  ~PromisedAwaiter() { unlink(); }

  bool await_ready() const noexcept { return promised_->ready(); }
  void await_suspend(std::coroutine_handle<> handle) {
    node_.waiter.handle = handle;
    node_.next = promised_->first_;
    if (node_.next != nullptr) node_.next->previous = &node_;
    promised_->first_ = &node_;
    linked_ = true;
    node_.loop.arm(node_.waiter, patience_);
  }
  std::optional<T> await_resume() {
    unlink();
    if (!promised_->ready()) return std::nullopt;
    return promised_->value();
  }

 private:
  void unlink() noexcept {
    if (!linked_) return;
    linked_ = false;
    if (node_.previous != nullptr) {
      node_.previous->next = node_.next;
    } else {
      promised_->first_ = node_.next;
    }
    if (node_.next != nullptr) node_.next->previous = node_.previous;
  }

  std::shared_ptr<Promised<T>> promised_;
  Milliseconds patience_;
  typename Promised<T>::Node node_;
  bool linked_ = false;
};

template <class T>
[[nodiscard]] PromisedAwaiter<T> wait_for(Loop& loop, std::shared_ptr<Promised<T>> promised,
                                          Milliseconds patience) {
  return PromisedAwaiter<T>(loop, std::move(promised), patience);
}

}  // namespace oidc
