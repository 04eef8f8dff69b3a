// The worker's Loop (include/oidc/loop.h) over nginx's posted events and timers.
//
// One posted event resumes the waiters that were ready when it ran, each taken off the queue before
// it is resumed, since a resumed coroutine may destroy any other. A waiter's timer is disarmed
// before its coroutine goes on: one wait, one resumption.
//
// Made in init_process. In exit_process the order is: cancel_tasks(), then whatever tasks use (HTTP
// clients, stores), then the loop.
#pragma once

#include <list>

#include "io/nginx.h"
#include "oidc/loop.h"

namespace oidc {

class NginxLoop final : public Loop {
 public:
  NginxLoop();
  ~NginxLoop() override;
  NginxLoop(const NginxLoop&) = delete;
  NginxLoop& operator=(const NginxLoop&) = delete;

  [[nodiscard]] Seconds now() const override { return ngx_time(); }
  [[nodiscard]] std::uint64_t monotonic_ms() const override { return ngx_current_msec; }

  void post(Waiter& waiter) override;
  void unpost(Waiter& waiter) noexcept override;
  void arm(Waiter& waiter, Milliseconds delay) override;
  // As arm(), but does not keep a worker that shuts down alive: for work that nobody waits for.
  void arm_background(Waiter& waiter, Milliseconds delay);

  void spawn(Task<void> task) override;
  // Destroys all spawned tasks, which cancels what they wait for. Not from inside one of them.
  void cancel_tasks() noexcept;

 private:
  class NginxTimer;
  struct WorkerTask {
    NginxLoop& loop;
    Task<void> task;
    bool ended = false;
  };
  // A list of waiters that survives the removal of any of them at any time.
  struct Queue {
    Waiter head;  // a ring: head.next is the first
    Queue() noexcept { head.previous = head.next = &head; }
    [[nodiscard]] bool empty() const noexcept { return head.next == &head; }
    void push(Waiter& waiter) noexcept;
    void take_all_of(Queue& other) noexcept;
    static void unlink(Waiter& waiter) noexcept;
  };

  void start_timer(Waiter& waiter, Milliseconds delay, bool background);
  void wake() noexcept;
  void run_ready();
  void remove_ended_tasks() noexcept;

  EventOwner owner_{this};
  ngx_event_t ready_event_{};
  Queue ready_;
  Queue running_;
  std::list<WorkerTask> tasks_;
  bool some_task_ended_ = false;
};

// co_await background_sleep_for(loop, delay);
class BackgroundSleep {
 public:
  BackgroundSleep(NginxLoop& loop, Milliseconds delay) noexcept : loop_(loop), delay_(delay) {}
  bool await_ready() const noexcept { return false; }
  void await_suspend(std::coroutine_handle<> handle) {
    waiter_.handle = handle;
    loop_.arm_background(waiter_, delay_);
  }
  void await_resume() const noexcept {}

 private:
  NginxLoop& loop_;
  Milliseconds delay_;
  Waiter waiter_;
};
[[nodiscard]] inline BackgroundSleep background_sleep_for(NginxLoop& loop,
                                                          Milliseconds delay) noexcept {
  return {loop, delay};
}

}  // namespace oidc
