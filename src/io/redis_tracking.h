// What keeps caches of one Redis server coherent: CLIENT TRACKING. Each of a client's connections asks
// Redis to watch the keys that are read on it, and Redis reports changes on a connection of our own
// that is subscribed to __redis__:invalidate: the channel.
//
// The channel is pinged each second. What was read counts as current while an answer to a PING that
// was sent within the last 2 s is there, and while the connection that read it lives. The channel is
// opened when somebody reads, to where the client's own connections lead, and a connection counts
// only after the change of a key that it made itself was heard of: with a proxy or a second server
// in between nothing is cached. A master of a cluster is also asked each second for a key of its own:
// one that was cut off or deposed answers PING, but no longer that.
//
// RESP2: hiredis 0.14 knows no pushes. One for each RedisClient, which owns it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <unordered_map>
#include <unordered_set>

#include "io/nginx_loop.h"
#include "io/redis_client.h"

namespace oidc {

class RedisTracking final : private RedisConnection::Owner {
 public:
  RedisTracking(NginxLoop& loop, RedisClient& client, RedisWatchPtr watch);
  RedisTracking(const RedisTracking&) = delete;
  RedisTracking& operator=(const RedisTracking&) = delete;
  // After the loop's tasks were cancelled, or when idle.
  ~RedisTracking();

  // Before each read that may be cached, with the slot of its key.
  void want(std::uint16_t slot);
  // Whether nothing that was read under this number (RedisReply::tracked) has changed unnoticed.
  [[nodiscard]] bool current(std::uint64_t tracked) const noexcept;
  // Nothing is under way.
  [[nodiscard]] bool idle() const noexcept { return !opening_; }

  // Of the client's connections: it takes commands from now on, and has none yet; it has ended.
  void ready(RedisConnection& connection);
  void gone(RedisConnection& connection);
  // A channel at another server is of no use.
  void leave_unless_at(const std::string& server);

 private:
  void on_redis_closed(RedisConnection& channel, const Error& why, bool broke,
                       std::vector<RedisCommandPtr> unanswered) override;

  Task<void> open(RedisPeer peer);
  Task<Result<std::int64_t>> subscribe(RedisPeer peer);
  void up(std::int64_t id, std::uint64_t since);
  void down(const std::string& why);
  void refuse(const std::string& why);
  void put_off(ngx_msec_t pause);
  // The channel is where the client's connections are.
  [[nodiscard]] bool is_at_home();
  [[nodiscard]] bool reaches(const RedisConnection& connection) const;
  [[nodiscard]] std::string key_of_ours() const;
  void track(RedisConnection& connection);
  void heard(const RedisReply& reply);
  void changed(std::string_view name);
  void tick();
  void ping();
  void check();

  NginxLoop& loop_;
  RedisClient& client_;
  RedisWatchPtr watch_;
  std::optional<std::uint16_t> slot_;  // of a key that was wanted

  RedisConnection channel_;
  bool opening_ = false;
  bool up_ = false;
  bool warned_ = false;
  std::int64_t channel_id_ = 0;
  std::uint64_t alive_at_ = 0;  // when the last PING that was answered was sent
  std::uint64_t retry_at_ = 0;
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
