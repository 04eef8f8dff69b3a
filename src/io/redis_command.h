// One command on its way: what the connection knows of it, and what a coroutine waits on.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "io/redis_codec.h"
#include "oidc/loop.h"
#include "oidc/result.h"

namespace oidc {

// Shared by the coroutine that waits and the connection that carries it: either may go first.
struct RedisCommand {
  std::string bytes;
  std::uint16_t slot = 0;   // of its key, in a cluster
  bool idempotent = true;   // may be sent again when a connection broke before the reply
  bool sent_again = false;  // a connection broke before the reply
  // Whether it waits for a server that cannot be reached just now.
  bool patient = true;
  // Each of its replies comes after one that says nothing (that of ASKING), which has come.
  bool asking = false, asked = false;
  std::uint64_t deadline = 0;  // of what it waits for now, on nginx's clock
  // Several commands in one, on one connection: their replies become an array, or the first error.
  std::size_t replies = 1;
  std::vector<RedisReply> gathered;
  std::uint64_t tracked = 0;  // what watches the keys that it reads, when it was sent
  std::optional<Result<RedisReply>> result;
  Waiter* waiter = nullptr;  // null: nobody waits any more
  // In place of a waiter; called from inside the connection.
  std::function<void(const Result<RedisReply>&)> on_result;

  // Posts the waiter, if any; never resumes it from here.
  void finish(Loop& loop, Result<RedisReply> with) {
    if (on_result) return std::exchange(on_result, {})(with);
    if (waiter == nullptr || result) return;
    result.emplace(std::move(with));
    loop.post(*waiter);
  }
};
using RedisCommandPtr = std::shared_ptr<RedisCommand>;

class Redis;

// co_await redis.run(key, command). Its destruction gives up the reply, not the command: what was
// sent is executed.
class RedisAwaiter {
 public:
  RedisAwaiter(Redis& redis, RedisCommandPtr command) noexcept
      : redis_(redis), command_(std::move(command)) {}
  RedisAwaiter(const RedisAwaiter&) = delete;
  RedisAwaiter& operator=(const RedisAwaiter&) = delete;
  ~RedisAwaiter() { command_->waiter = nullptr; }

  bool await_ready() const noexcept { return false; }
  void await_suspend(std::coroutine_handle<> handle);
  Result<RedisReply> await_resume() {
    command_->waiter = nullptr;
    return std::move(*command_->result);
  }

 private:
  Redis& redis_;
  RedisCommandPtr command_;
  Waiter waiter_;
};

}  // namespace oidc
