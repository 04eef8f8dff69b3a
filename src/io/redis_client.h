// A worker's connections to one Redis. Commands of one turn of the event loop go out together, in
// one write per connection; connections are opened when they are needed.
//
// While there is no connection, commands wait for one at most connect_timeout. When Redis has been
// unreachable for that long, or did not answer on several connections in a row, they fail at once;
// new attempts are made with growing pauses as long as somebody asks, and when one gets an answer
// all is well again. One command at a time waits for such an attempt. A command whose connection broke before its reply is sent once more if it
// is idempotent; one that got no answer in time fails.
#pragma once

#include <deque>
#include <memory>
#include <string>
#include <vector>

#include "io/nginx_loop.h"
#include "io/redis_connection.h"

namespace oidc {

// Hears of a client's connections; one at most.
class RedisListener {
 public:
  // It takes commands from now on, and has none yet.
  virtual void on_redis_ready(RedisConnection& connection) = 0;
  virtual void on_redis_gone(RedisConnection& connection) = 0;

 protected:
  ~RedisListener() = default;
};

class RedisClient final : public RedisConnection::Owner {
 public:
  RedisClient(NginxLoop& loop, std::shared_ptr<const RedisOptions> options);
  RedisClient(const RedisClient&) = delete;
  RedisClient& operator=(const RedisClient&) = delete;
  // After the loop's tasks were cancelled, before the loop goes. Whoever still waits does for ever.
  ~RedisClient();

  // co_await client.run(bytes): Result<RedisReply>. `bytes` is one command (redis_command()); an
  // error reply is a value. Fails with store_unavailable; the detail names the peer.
  // `bytes` may be several commands that go to one connection: `replies` says how many.
  [[nodiscard]] RedisAwaiter run(std::string bytes, bool idempotent = true,
                                 std::size_t replies = 1);

  void listen(RedisListener* listener) noexcept { listener_ = listener; }
  template <class F>
  void for_each_ready(F&& body) {
    for (const auto& connection : connections_) {
      if (connection->ready()) body(*connection);
    }
  }
  // Commands fail at once.
  [[nodiscard]] bool known_down() const;

  [[nodiscard]] std::shared_ptr<const RedisOptions> shared_options() const { return options_; }
  [[nodiscard]] const RedisOptions& options() const noexcept { return *options_; }

  struct Stats {
    std::size_t connections = 0;  // open now
    bool down = false;            // the last attempt to connect failed
    std::uint64_t commands = 0;
    std::uint64_t failures = 0;  // commands without a reply
  };
  [[nodiscard]] Stats stats() const;

 private:
  friend class RedisAwaiter;

  void submit(RedisCommandPtr command);
  void wait(RedisCommandPtr command);
  void wake() noexcept;
  void turn();
  void dispatch();
  void open_if_wanted();
  void expire_waiting();
  void rearm_patience();

  [[nodiscard]] RedisConnection* least_loaded() const;
  [[nodiscard]] RedisConnection* first_closed() const;
  Task<void> dial(RedisConnection& connection);
  Task<Result<std::vector<RedisPeer>>> find_peers();
  void on_up();
  void on_down(const Error& why);
  void fail_waiting();
  void fail(RedisCommand& command, const Error& why);

  void on_redis_closed(RedisConnection& connection, const Error& why, bool broke,
                       std::vector<RedisCommandPtr> unanswered) override;

  NginxLoop& loop_;
  std::shared_ptr<const RedisOptions> options_;
  Dns dns_;
  std::vector<std::unique_ptr<RedisConnection>> connections_;
  std::deque<RedisCommandPtr> waiting_;  // for a connection, by deadline

  EventOwner event_owner_{this};
  ngx_event_t turn_event_{};
  ngx_event_t patience_event_{};  // the deadline of the first that waits
  ngx_event_t retry_event_{};     // background: the next attempt to connect

  RedisListener* listener_ = nullptr;
  bool dialing_ = false;
  bool wanted_ = false;  // somebody was refused since the last attempt
  unsigned failed_attempts_ = 0;
  unsigned silences_ = 0;  // connections that got no answer in time, since one was opened
  std::uint64_t dialed_at_ = 0;
  std::uint64_t retry_at_ = 0;
  std::uint64_t down_since_ = 0;  // 0: not down
  Error down_because_;
  Stats stats_;
};

}  // namespace oidc
