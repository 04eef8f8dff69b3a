// The one door to nginx's C headers, and what every C++ file next to them needs.
#pragma once

extern "C" {
#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>
#include <ngx_http.h>
}

#include <cstddef>
#include <functional>
#include <string_view>
#include <utility>

namespace oidc {

[[nodiscard]] inline std::string_view to_view(const ngx_str_t& text) noexcept {
  return {reinterpret_cast<const char*>(text.data), text.len};
}

// For arguments of nginx functions that take an ngx_str_t and do not write to it.
[[nodiscard]] inline ngx_str_t to_ngx_str(std::string_view text) noexcept {
  auto* data = const_cast<char*>(text.data());
  return {text.size(), reinterpret_cast<u_char*>(data)};
}

// Writes one line to ngx_cycle->log for the exception that is being handled: its type only, since
// what() of a parser quotes its input.
void log_escaped_exception() noexcept;

// Runs the body of a C callback; an exception that escapes from it is logged and `fallback` is
// returned.
template <class T, class Body>
T guard(T fallback, Body&& body) noexcept {
  try {
    return std::invoke(std::forward<Body>(body));
  } catch (...) {
    log_escaped_exception();
    return fallback;
  }
}

template <class Body>
void guard(Body&& body) noexcept {
  try {
    std::invoke(std::forward<Body>(body));
  } catch (...) {
    log_escaped_exception();
  }
}

// What ev->data of an event without a connection points to: nginx's debug log reads a connection's
// fd there. The handler finds its object by EventOwner::of<Owner>(event).
class EventOwner {
 public:
  explicit EventOwner(void* owner) noexcept : owner_(owner) {}

  template <class Owner>
  [[nodiscard]] static Owner& of(ngx_event_t* event) noexcept {
    return *static_cast<Owner*>(static_cast<EventOwner*>(event->data)->owner_);
  }

  // The offsets that the debug log relies on.
  [[nodiscard]] static constexpr std::size_t fd_offset() noexcept {
    return offsetof(EventOwner, fd_);
  }

 private:
  void* owner_;
  [[maybe_unused]] void* read_ = nullptr;
  [[maybe_unused]] void* write_ = nullptr;
  [[maybe_unused]] ngx_socket_t fd_ = static_cast<ngx_socket_t>(-1);
};
static_assert(EventOwner::fd_offset() == offsetof(ngx_connection_t, fd));

// ngx_add_timer keeps an earlier deadline that is less than 300 ms away from the new one; this sets
// exactly the new one.
inline void set_timer(ngx_event_t& event, ngx_msec_t delay) noexcept {
  if (event.timer_set) ngx_del_timer(&event);
  ngx_add_timer(&event, delay);
}

// Takes the event out of the timers and the posted events, as before its memory goes.
inline void forget_event(ngx_event_t& event) noexcept {
  if (event.timer_set) ngx_del_timer(&event);
  if (event.posted) {
    ngx_delete_posted_event(&event);
  }
}

}  // namespace oidc
