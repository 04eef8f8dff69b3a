// Steps that must not stop half-way when the request that asked for them goes away.
#pragma once

#include <exception>
#include <memory>
#include <utility>

#include "oidc/flow.h"

namespace oidc {

template <class T>
Task<void> finish_and_tell(Task<Result<T>> task, std::shared_ptr<Promised<Result<T>>> told) {
  Result<T> result = Error{Errc::internal, "a step ended by an exception"};
  try {
    result = co_await std::move(task);
  } catch (const std::exception&) {
    // Who waits is told; the promise must never stay open.
  }
  told->set(std::move(result));
}

// The task belongs to the worker from here on; who waits for it longer than a minute is answered
// store_unavailable.
template <class T>
[[nodiscard]] Task<Result<T>> in_worker(Services& services, Task<Result<T>> task) {
  constexpr Milliseconds kPatience{60'000};
  const auto told = std::make_shared<Promised<Result<T>>>();
  services.loop.spawn(finish_and_tell(std::move(task), told));
  const auto result = co_await wait_for(services.loop, told, kPatience);
  if (!result) co_return Error{Errc::store_unavailable, "it takes longer than a minute"};
  co_return *result;
}

}  // namespace oidc
