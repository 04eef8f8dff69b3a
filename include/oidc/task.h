// Task<T>: a lazy coroutine with one awaiter. It starts when awaited (or start()ed as a root),
// resumes its awaiter by symmetric transfer, and destroying it cancels whatever it waits for,
// because the leaf's awaiter lives in its frame and its destructor cancels.
//
// Rules of use (g++ 12 miscompiles some operands, and tools/lint_coroutines.py enforces it): the
// operand of co_await is one plain call whose arguments are names or plain calls; parameters are
// taken by value.
#pragma once

#include <coroutine>
#include <exception>
#include <optional>
#include <utility>

namespace oidc {

template <class T>
class Task;

namespace detail {

class TaskPromiseBase {
 public:
  struct FinalAwaiter {
    bool await_ready() const noexcept { return false; }
    template <class Promise>
    std::coroutine_handle<> await_suspend(std::coroutine_handle<Promise> self) noexcept {
      const TaskPromiseBase& promise = self.promise();
      if (promise.continuation_) return promise.continuation_;
      if (promise.on_done_ != nullptr) promise.on_done_(promise.on_done_data_);
      return std::noop_coroutine();
    }
    void await_resume() const noexcept {}
  };

  std::suspend_always initial_suspend() const noexcept { return {}; }
  FinalAwaiter final_suspend() const noexcept { return {}; }
  void unhandled_exception() noexcept { failure_ = std::current_exception(); }

  std::coroutine_handle<> continuation_;
  void (*on_done_)(void*) noexcept = nullptr;
  void* on_done_data_ = nullptr;

 protected:
  void rethrow_failure() {
    if (failure_) std::rethrow_exception(failure_);
  }

 private:
  std::exception_ptr failure_;
};

template <class T>
class TaskPromise : public TaskPromiseBase {
 public:
  Task<T> get_return_object() noexcept;
  template <class U>
  void return_value(U&& value) {
    value_.emplace(std::forward<U>(value));
  }
  T take() {
    rethrow_failure();
    return std::move(*value_);
  }

 private:
  std::optional<T> value_;
};

template <>
class TaskPromise<void> : public TaskPromiseBase {
 public:
  Task<void> get_return_object() noexcept;
  void return_void() noexcept {}
  void take() { rethrow_failure(); }
};

}  // namespace detail

template <class T>
class [[nodiscard]] Task {
 public:
  using promise_type = detail::TaskPromise<T>;
  using Handle = std::coroutine_handle<promise_type>;

  Task() noexcept = default;
  explicit Task(Handle handle) noexcept : handle_(handle) {}
  Task(Task&& other) noexcept : handle_(std::exchange(other.handle_, {})) {}
  Task& operator=(Task&& other) noexcept {
    if (this != &other) {
      reset();
      handle_ = std::exchange(other.handle_, {});
    }
    return *this;
  }
  Task(const Task&) = delete;
  Task& operator=(const Task&) = delete;
  ~Task() { reset(); }

  // Cancels: the frame is destroyed, and with it the leaf that it waits for.
  void reset() noexcept {
    if (handle_) std::exchange(handle_, {}).destroy();
  }

  [[nodiscard]] bool valid() const noexcept { return static_cast<bool>(handle_); }
  [[nodiscard]] bool done() const noexcept { return handle_ && handle_.done(); }

  // Root tasks only. `on_done` is called when the task has ended, from inside its last resumption:
  // it must not destroy the task; it records, or posts an event. It is also called when the task
  // ends without ever suspending, that is before start() returns.
  void start(void (*on_done)(void*) noexcept, void* data) {
    handle_.promise().on_done_ = on_done;
    handle_.promise().on_done_data_ = data;
    handle_.resume();
  }
  // Only after done(); rethrows what the coroutine threw.
  T take() { return handle_.promise().take(); }

  auto operator co_await() && noexcept {
    struct Awaiter {
      Handle handle;
      bool await_ready() const noexcept { return false; }
      std::coroutine_handle<> await_suspend(std::coroutine_handle<> awaiting) noexcept {
        handle.promise().continuation_ = awaiting;
        return handle;
      }
      T await_resume() { return handle.promise().take(); }
    };
    return Awaiter{handle_};
  }

 private:
  Handle handle_;
};

namespace detail {

template <class T>
Task<T> TaskPromise<T>::get_return_object() noexcept {
  return Task<T>(std::coroutine_handle<TaskPromise>::from_promise(*this));
}

inline Task<void> TaskPromise<void>::get_return_object() noexcept {
  return Task<void>(std::coroutine_handle<TaskPromise>::from_promise(*this));
}

}  // namespace detail
}  // namespace oidc
