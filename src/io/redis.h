// What stores ask: one command about one key, wherever Redis keeps it.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "io/nginx_loop.h"
#include "io/redis_command.h"
#include "io/redis_options.h"

namespace oidc {

class Redis {
 public:
  Redis(const Redis&) = delete;
  Redis& operator=(const Redis&) = delete;
  // After the loop's tasks were cancelled, before the loop goes. Whoever still waits does for ever.
  virtual ~Redis() = default;

  // co_await redis.run(key, bytes): Result<RedisReply>. `bytes` is one command (redis_command())
  // that may be sent twice, `key` the one key that it is about. An error reply is a value. Fails
  // with store_unavailable; the detail names the peer. Of a single server, `bytes` may be several
  // commands that go to one connection: `replies` says how many.
  [[nodiscard]] RedisAwaiter run(std::string_view key, std::string bytes,
                                 std::size_t replies = 1);

  struct Stats {
    std::size_t connections = 0;  // open now
    bool down = false;            // the last attempt to connect failed
    std::uint64_t commands = 0;
    std::uint64_t failures = 0;  // commands without a reply
  };
  [[nodiscard]] virtual Stats stats() const = 0;

 protected:
  Redis() = default;

  // The slot of a key where that matters.
  [[nodiscard]] virtual std::uint16_t slot_of(std::string_view) const { return 0; }

 private:
  friend class RedisAwaiter;
  virtual void submit(RedisCommandPtr command) = 0;
};

// A client for one server, for the master that Sentinels name, or for a cluster.
[[nodiscard]] std::unique_ptr<Redis> make_redis(NginxLoop& loop,
                                                std::shared_ptr<const RedisOptions> options);

}  // namespace oidc
