// A worker's connections to one Redis. Commands of one turn of the event loop go out together, in
// one write per connection; connections are opened when they are needed.
//
// While there is no connection, commands wait for one at most connect_timeout. When Redis has been
// unreachable for that long, or did not answer on several connections in a row, they fail at once;
// new attempts are made with growing pauses as long as somebody asks, and when one gets an answer
// all is well again. One command at a time waits for such an attempt. Impatient commands fail with
// the first attempt. A command whose connection broke before its reply is sent once more if it is
// idempotent; one that got no answer in time fails.
#pragma once

#include <deque>
#include <memory>
#include <string>
#include <vector>

#include "io/redis.h"
#include "io/redis_connection.h"

namespace oidc {

class RedisTracking;

// Where to connect, when that is not known beforehand. Asked before each attempt.
class RedisLocator {
 public:
  [[nodiscard]] virtual Task<Result<RedisNode>> locate() = 0;
  // Whether the server that it named could be used.
  virtual void located(bool usable) = 0;
  // Whether it would still name the server ("HOST:PORT").
  [[nodiscard]] virtual bool names(const std::string& server) const = 0;

 protected:
  ~RedisLocator() = default;
};

class RedisClient final : public Redis, public RedisConnection::Owner {
 public:
  // `locator` may be null; else it outlives the client, and is asked in place of the options.
  RedisClient(NginxLoop& loop, std::shared_ptr<const RedisOptions> options,
              RedisLocator* locator = nullptr);
  ~RedisClient() override;

  void watch(RedisWatchPtr watch) override;
  void want_slot(std::uint16_t slot) override;
  [[nodiscard]] bool current(const CacheMark& mark) const noexcept override;

  template <class F>
  void for_each_ready(F&& body) {
    for (const auto& connection : connections_) {
      if (connection->ready()) body(*connection);
    }
  }

  [[nodiscard]] std::shared_ptr<const RedisOptions> shared_options() const { return options_; }
  [[nodiscard]] const RedisOptions& options() const noexcept { return *options_; }

  // As run(), for a command made by the caller.
  [[nodiscard]] RedisAwaiter send(RedisCommandPtr command) { return {*this, std::move(command)}; }

  // Connections to another server take no more commands.
  void leave_unless_at(const RedisNode& node);

  [[nodiscard]] Stats stats() const override;
  // Commands fail at once.
  [[nodiscard]] bool known_down() const;
  // Nothing is under way: the client may go, its connections with it.
  [[nodiscard]] bool idle() const;

 private:
  void submit(RedisCommandPtr command) override;
  void wait(RedisCommandPtr command);
  void wake() noexcept;
  void turn();
  void dispatch();
  void open_if_wanted();
  void expire_waiting();
  void rearm_patience();

  [[nodiscard]] Error unusable(std::string_view why) const;
  [[nodiscard]] RedisConnection* least_loaded() const;
  [[nodiscard]] RedisConnection* first_closed() const;

  Task<void> dial(RedisConnection& connection);
  Task<Result<std::vector<RedisPeer>>> find_peers();
  void on_up();
  void on_down(const Error& why);
  void fail_waiting(bool patient_too);
  void fail(RedisCommand& command, const Error& why);

  void on_redis_closed(RedisConnection& connection, const Error& why, bool broke,
                       std::vector<RedisCommandPtr> unanswered) override;

  NginxLoop& loop_;
  std::shared_ptr<const RedisOptions> options_;
  RedisLocator* locator_;
  Dns dns_;
  std::string peer_;  // where it connects, for logs
  std::vector<std::unique_ptr<RedisConnection>> connections_;
  std::deque<RedisCommandPtr> waiting_;  // for a connection, by deadline

  EventOwner event_owner_{this};
  ngx_event_t turn_event_{};
  ngx_event_t patience_event_{};  // the deadline of the first that waits
  ngx_event_t retry_event_{};     // background: the next attempt to connect

  std::unique_ptr<RedisTracking> tracking_;  // null: nobody caches
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
