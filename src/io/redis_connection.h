// One connection to Redis: opening it (TCP or unix socket, TLS, AUTH, SELECT), commands out,
// replies in, in order. Nothing is resumed from here; results are posted.
#pragma once

#include <sys/socket.h>

#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "io/nginx.h"
#include "io/redis_command.h"
#include "io/redis_options.h"

namespace oidc {

struct RedisPeer {
  sockaddr_storage storage{};
  socklen_t length = 0;
  std::string name;   // for nginx's log
  std::string label;  // for ours: "127.0.0.1:6379" or "unix:/run/redis.sock"
  std::string host;   // what the server's certificate is for, unless the options say; may be empty

  [[nodiscard]] static RedisPeer from(const Address& address, const RedisNode& node);
  // nullopt: the path is longer than a unix socket's may be.
  [[nodiscard]] static std::optional<RedisPeer> from_path(const std::string& path);
};

class RedisConnection {
 public:
  class Owner {
   public:
    // An open connection has ended; it may be opened again, though not from inside this call.
    // `broke` is true when the peer is to blame and not its slowness: commands may be sent again
    // elsewhere.
    virtual void on_redis_closed(RedisConnection& connection, const Error& why, bool broke,
                                 std::vector<RedisCommandPtr> unanswered) = 0;

   protected:
    ~Owner() = default;
  };

  RedisConnection(Loop& loop, Owner& owner, std::shared_ptr<const RedisOptions> options);
  RedisConnection(const RedisConnection&) = delete;
  RedisConnection& operator=(const RedisConnection&) = delete;
  ~RedisConnection();

  // co_await connection.open(peer), on a closed one: Result<void>. Destroying the awaiter breaks
  // the attempt off.
  class Opening;
  [[nodiscard]] Opening open(const RedisPeer& peer);

  [[nodiscard]] bool closed() const noexcept { return state_ == State::closed; }
  // Takes commands.
  [[nodiscard]] bool ready() const noexcept { return state_ == State::ready && !retiring_; }
  [[nodiscard]] std::size_t load() const noexcept { return pending_.size(); }

  // Queues; flush() sends all that is queued at once.
  void enqueue(RedisCommandPtr command);
  void flush();
  // Takes no more commands, closes when the last reply is there.
  void retire();
  // Breaks an open connection off: the owner is told as if the peer had done it.
  void give_up(const std::string& why) { fail(why, true); }
  // Sends without waiting for a reply; what Redis says from now on goes to `hear`.
  void send(std::string_view bytes) { out_.append(bytes); }
  void listen(std::function<void(RedisReply)> hear) { hear_ = std::move(hear); }
  // Where the connection leads, or led.
  [[nodiscard]] const RedisPeer& peer() const noexcept { return peer_; }
  // A number for what watches the keys that are read from now on (RedisTracking); 0: nothing. It
  // outlives the connection until that is opened again.
  void set_tracked(std::uint64_t by) noexcept { tracked_ = by; }
  [[nodiscard]] std::uint64_t tracked() const noexcept { return tracked_; }
  // Closes an idle connection that is retired, or of a worker that shuts down.
  void close_if_done();

 private:
  enum class State : std::uint8_t { closed, connecting, securing, greeting, ready };

  void start(const RedisPeer& peer);
  void attach(ngx_connection_t& connection);
  void connected();
  void secure();
  void secured();
  void greet();
  void greeted(const RedisReply& reply);
  [[nodiscard]] std::string objection_to(const RedisReply& reply) const;
  void take(RedisReply reply);

  void on_read();
  void on_write();
  void on_timer();
  [[nodiscard]] bool check_connect();
  [[nodiscard]] bool parse(std::string_view bytes);

  [[nodiscard]] const char* stage() const noexcept;  // for the log
  [[nodiscard]] std::uint64_t next_deadline() const noexcept;
  void rearm();
  void finish_opening(Result<void> result);
  // The connection ends: tells the one who opens it, or the owner.
  void fail(std::string detail, bool broke);
  void close() noexcept;

  [[nodiscard]] std::string tls_name() const;
  static u_char* log_context(ngx_log_t* log, u_char* buffer, std::size_t size) noexcept;

  Loop& loop_;
  Owner& owner_;
  std::shared_ptr<const RedisOptions> options_;
  RedisPeer peer_;
  std::uint64_t tracked_ = 0;
  std::function<void(RedisReply)> hear_;
  ngx_log_t log_{};

  State state_ = State::closed;
  bool retiring_ = false;  // closes when the last reply is there
  ngx_connection_t* connection_ = nullptr;
  ngx_pool_t* pool_ = nullptr;
  EventOwner timer_owner_{this};
  ngx_event_t timer_{};

  Opening* opening_ = nullptr;
  std::uint64_t open_deadline_ = 0;
  std::size_t greeting_left_ = 0;

  std::unique_ptr<RedisParser> parser_;
  std::deque<RedisCommandPtr> pending_;  // sent or about to be, in order
  std::string out_;
  std::size_t sent_ = 0;  // of out_
  std::uint64_t send_deadline_ = 0;
};

class RedisConnection::Opening {
 public:
  Opening(RedisConnection& connection, const RedisPeer& peer) noexcept
      : connection_(connection), peer_(peer) {}
  Opening(const Opening&) = delete;
  Opening& operator=(const Opening&) = delete;
  ~Opening();

  bool await_ready() const noexcept { return false; }
  void await_suspend(std::coroutine_handle<> handle);
  Result<void> await_resume() { return std::move(result_); }

 private:
  friend class RedisConnection;
  RedisConnection& connection_;
  const RedisPeer& peer_;
  Waiter waiter_;
  Result<void> result_;
};

}  // namespace oidc
