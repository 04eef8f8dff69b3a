// What stores ask: one command about one key, wherever Redis keeps it.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "io/nginx_loop.h"
#include "io/redis_command.h"
#include "io/redis_options.h"
#include "oidc/session_cache.h"

namespace oidc {

// Who is told of changes of PREFIX:KEY.
struct RedisWatch {
  std::string prefix;  // with the colon
  SessionCache* cache;
};
using RedisWatchPtr = std::shared_ptr<const RedisWatch>;

// As a Coherence it knows the marks {RedisReply::place, RedisReply::tracked}.
class Redis : public Coherence {
 public:
  Redis(const Redis&) = delete;
  Redis& operator=(const Redis&) = delete;
  // After the loop's tasks were cancelled, before the loop goes. Whoever still waits does for ever.
  ~Redis() override = default;

  // co_await redis.run(key, bytes): Result<RedisReply>. `bytes` is one command (redis_command())
  // that may be sent twice, `key` the one key that it is about. An error reply is a value. Fails
  // with store_unavailable; the detail names the peer. `bytes` may be several commands about that
  // key, which go to one connection: `replies` says how many.
  [[nodiscard]] RedisAwaiter run(std::string_view key, std::string bytes,
                                 std::size_t replies = 1);

  // Once, before the first command. The cache may go after the last turn of the loop.
  virtual void watch(RedisWatchPtr watch) = 0;
  // Before each read of the key that may be cached.
  void want(std::string_view key) { want_slot(slot_of(key)); }

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
  virtual void want_slot(std::uint16_t slot) = 0;
};

// A client for one server, for the master that Sentinels name, or for a cluster.
[[nodiscard]] std::unique_ptr<Redis> make_redis(NginxLoop& loop,
                                                std::shared_ptr<const RedisOptions> options);

}  // namespace oidc
