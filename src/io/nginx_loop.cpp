#include "io/nginx_loop.h"

#include <algorithm>

namespace oidc {

class NginxLoop::NginxTimer final : public Waiter::Timer {
 public:
  NginxTimer(NginxLoop& loop, Waiter& waiter, Milliseconds delay, bool background)
      : loop_(loop), waiter_(waiter) {
    event_.handler = [](ngx_event_t* event) noexcept {
      guard([event] { EventOwner::of<NginxTimer>(event).fire(); });
    };
    event_.data = &owner_;
    event_.log = ngx_cycle->log;
    event_.cancelable = background;
    ngx_add_timer(&event_, static_cast<ngx_msec_t>(std::max<Milliseconds::rep>(delay.count(), 0)));
  }
  NginxTimer(const NginxTimer&) = delete;
  NginxTimer& operator=(const NginxTimer&) = delete;
  ~NginxTimer() override { forget_event(event_); }

 private:
  void fire() {
    waiter_.timed_out = true;
    loop_.post(waiter_);
  }

  NginxLoop& loop_;
  Waiter& waiter_;
  EventOwner owner_{this};
  ngx_event_t event_{};
};

void NginxLoop::Queue::push(Waiter& waiter) noexcept {
  waiter.previous = head.previous;
  waiter.next = &head;
  head.previous->next = &waiter;
  head.previous = &waiter;
}

void NginxLoop::Queue::take_all_of(Queue& other) noexcept {
  if (other.empty()) return;
  other.head.next->previous = head.previous;
  other.head.previous->next = &head;
  head.previous->next = other.head.next;
  head.previous = other.head.previous;
  other.head.previous = other.head.next = &other.head;
}

void NginxLoop::Queue::unlink(Waiter& waiter) noexcept {
  waiter.previous->next = waiter.next;
  waiter.next->previous = waiter.previous;
  waiter.previous = waiter.next = nullptr;
}

NginxLoop::NginxLoop() {
  ready_event_.handler = [](ngx_event_t* event) noexcept {
    guard([event] { EventOwner::of<NginxLoop>(event).run_ready(); });
  };
  ready_event_.data = &owner_;
  ready_event_.log = ngx_cycle->log;
}

NginxLoop::~NginxLoop() {
  cancel_tasks();
  // Waiters of requests that nobody will end now (nginx drops them when it is told to stop fast).
  for (Queue* queue : {&running_, &ready_}) {
    while (!queue->empty()) unpost(*queue->head.next);
  }
  forget_event(ready_event_);
}

void NginxLoop::wake() noexcept {
  ngx_post_event(&ready_event_, &ngx_posted_events);
}

void NginxLoop::post(Waiter& waiter) {
  if (waiter.queued_in != nullptr) return;
  waiter.queued_in = this;
  ready_.push(waiter);
  wake();
}

void NginxLoop::unpost(Waiter& waiter) noexcept {
  if (waiter.queued_in == nullptr) return;
  waiter.queued_in = nullptr;
  Queue::unlink(waiter);
}

void NginxLoop::arm(Waiter& waiter, Milliseconds delay) {
  start_timer(waiter, delay, false);
}

void NginxLoop::arm_background(Waiter& waiter, Milliseconds delay) {
  start_timer(waiter, delay, true);
}

void NginxLoop::start_timer(Waiter& waiter, Milliseconds delay, bool background) {
  waiter.timed_out = false;
  waiter.timer = std::make_unique<NginxTimer>(*this, waiter, delay, background);
}

// Takes what is ready now; what becomes ready meanwhile is for the event's next run, after nginx's
// other posted events.
void NginxLoop::run_ready() {
  running_.take_all_of(ready_);
  while (!running_.empty()) {
    Waiter& waiter = *running_.head.next;
    unpost(waiter);
    waiter.timer.reset();
    const std::coroutine_handle<> handle = waiter.handle;
    guard([handle] { handle.resume(); });
  }
  if (some_task_ended_) remove_ended_tasks();
}

void NginxLoop::spawn(Task<void> task) {
  WorkerTask& worker_task = tasks_.emplace_back(*this, std::move(task));
  worker_task.task.start(
      [](void* data) noexcept {
        auto& ended = *static_cast<WorkerTask*>(data);
        ended.ended = true;
        ended.loop.some_task_ended_ = true;
        ended.loop.wake();
      },
      &worker_task);
}

void NginxLoop::remove_ended_tasks() noexcept {
  some_task_ended_ = false;
  // A task's destructor may spawn another one, so they leave the list before they are destroyed.
  std::list<WorkerTask> ended;
  for (auto task = tasks_.begin(); task != tasks_.end();) {
    const auto next = std::next(task);
    if (task->ended) ended.splice(ended.end(), tasks_, task);
    task = next;
  }
  for (WorkerTask& task : ended) {
    guard([&task] { task.task.take(); });
  }
}

void NginxLoop::cancel_tasks() noexcept {
  while (!tasks_.empty()) {
    std::list<WorkerTask> one;
    one.splice(one.end(), tasks_, tasks_.begin());
  }
  some_task_ended_ = false;
}

}  // namespace oidc
