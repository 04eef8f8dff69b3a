// What keeps caches of a Redis coherent: CLIENT TRACKING. Each of a client's connections asks Redis
// to watch the keys that are read on it, and Redis reports changes on a connection of our own that
// is subscribed to __redis__:invalidate: the channel.
//
// The channel is pinged each second. What was read counts as current while an answer to a PING that
// was sent within the last 2 s is there, and while the connection that read it lives. The channel is
// opened when somebody reads, to where the client's own connections lead, and a connection counts
// only after the change of a key that it made itself was heard of: with a proxy or a second server
// in between nothing is cached.
//
// RESP2: hiredis 0.14 knows no pushes. One for each RedisClient.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <unordered_map>
#include <unordered_set>

#include "io/nginx_loop.h"
#include "io/redis_client.h"
#include "oidc/session_cache.h"

namespace oidc {

class RedisTracking final : public Coherence,
                            private RedisConnection::Owner,
                            private RedisListener {
 public:
  // The client outlives it.
  RedisTracking(NginxLoop& loop, RedisClient& client, std::string prefix);
  RedisTracking(const RedisTracking&) = delete;
  RedisTracking& operator=(const RedisTracking&) = delete;
  // After the loop's tasks were cancelled.
  ~RedisTracking() override;

  // Who is told of changes of PREFIX:KEY; one, and it outlives the tracking or is taken away.
  void serve(SessionCache* cache) noexcept { cache_ = cache; }
  // Before each read that may be cached.
  void want();
  // The mark's version is RedisReply::tracked of the read.
  [[nodiscard]] bool current(const CacheMark& mark) const noexcept override;

 private:
  void on_redis_ready(RedisConnection& connection) override;
  void on_redis_gone(RedisConnection& connection) override;
  void on_redis_closed(RedisConnection& channel, const Error& why, bool broke,
                       std::vector<RedisCommandPtr> unanswered) override;

  Task<void> open(RedisPeer peer);
  Task<Result<std::int64_t>> subscribe(RedisPeer peer);
  void up(std::int64_t id, std::uint64_t since);
  void down(const std::string& why);
  void refuse(const std::string& why);
  void put_off(ngx_msec_t pause);
  void track(RedisConnection& connection);
  void heard(const RedisReply& reply);
  void changed(std::string_view name);
  void tick();
  void ping();

  NginxLoop& loop_;
  RedisClient& client_;
  std::string prefix_;  // with the colon
  SessionCache* cache_ = nullptr;

  RedisConnection channel_;
  bool opening_ = false;
  bool up_ = false;
  bool warned_ = false;
  std::int64_t channel_id_ = 0;
  std::uint64_t alive_at_ = 0;  // when the last PING that was answered was sent
  std::uint64_t retry_at_ = 0;
  std::uint64_t last_serial_ = 0;
  std::unordered_set<std::uint64_t> live_;  // serials of connections that are watched
  struct Probe {
    std::uint64_t serial;
    std::uint64_t since;
  };
  std::unordered_map<std::string, Probe> probes_;  // by name of the key
  EventOwner event_owner_{this};
  ngx_event_t tick_event_{};
};

}  // namespace oidc
