// How a RedisConnection gets ready: socket, TLS, greeting.
#include <sys/un.h>

#include <cstring>
#include <utility>

#include "io/redis_connection.h"

namespace oidc {

RedisPeer RedisPeer::from(const Address& address, const RedisNode& node) {
  RedisPeer peer;
  std::memcpy(&peer.storage, address.get(), address.length());
  peer.length = address.length();
  peer.name = address.text();
  peer.label = node.text();
  peer.host = node.host;
  return peer;
}

std::optional<RedisPeer> RedisPeer::from_path(const std::string& path) {
  sockaddr_un local{};
  if (path.size() >= sizeof local.sun_path) return std::nullopt;
  local.sun_family = AF_UNIX;
  path.copy(local.sun_path, path.size());
  RedisPeer peer;
  std::memcpy(&peer.storage, &local, sizeof local);
  peer.length = sizeof local;
  peer.name = peer.label = "unix:" + path;
  return peer;
}

RedisConnection::Opening RedisConnection::open(const RedisPeer& peer) {
  return {*this, peer};
}

void RedisConnection::Opening::await_suspend(std::coroutine_handle<> handle) {
  waiter_.handle = handle;
  connection_.opening_ = this;
  connection_.start(peer_);
}

RedisConnection::Opening::~Opening() {
  if (connection_.opening_ != this) return;
  connection_.opening_ = nullptr;
  connection_.close();
}

void RedisConnection::finish_opening(Result<void> result) {
  Opening* opening = std::exchange(opening_, nullptr);
  if (opening == nullptr) return;
  opening->result_ = std::move(result);
  loop_.post(opening->waiter_);
}

void RedisConnection::start(const RedisPeer& peer) {
  peer_ = peer;
  tracked_ = 0;
  hear_ = nullptr;
  // Where the worker's errors go, with a word about us.
  log_ = *ngx_cycle->log;
  log_.handler = log_context;
  log_.data = this;
  log_.action = const_cast<char*>("connecting");
  timer_.log = &log_;
  open_deadline_ = ngx_current_msec + static_cast<ngx_msec_t>(options_->connect_timeout.count());
  parser_ = std::make_unique<RedisParser>();
  pool_ = ngx_create_pool(512, &log_);
  if (pool_ == nullptr) return fail("no memory", false);

  ngx_str_t name = to_ngx_str(peer.name);
  ngx_peer_connection_t request{};
  request.sockaddr = const_cast<sockaddr*>(reinterpret_cast<const sockaddr*>(&peer.storage));
  request.socklen = peer.length;
  request.name = &name;
  request.get = ngx_event_get_peer;
  request.log = &log_;
  request.log_error = NGX_ERROR_INFO;  // the owner says what matters
  const ngx_int_t connecting = ngx_event_connect_peer(&request);
  if (connecting != NGX_OK && connecting != NGX_AGAIN) return fail("connecting failed", true);
  attach(*request.connection);
  state_ = State::connecting;
  if (connecting == NGX_OK) return connected();
  rearm();
}

void RedisConnection::attach(ngx_connection_t& connection) {
  connection_ = &connection;
  connection.data = this;
  connection.pool = pool_;
  connection.read->handler = [](ngx_event_t* event) noexcept {
    auto* owner = static_cast<ngx_connection_t*>(event->data)->data;
    guard([owner] { static_cast<RedisConnection*>(owner)->on_read(); });
  };
  connection.write->handler = [](ngx_event_t* event) noexcept {
    auto* owner = static_cast<ngx_connection_t*>(event->data)->data;
    guard([owner] { static_cast<RedisConnection*>(owner)->on_write(); });
  };
}

bool RedisConnection::check_connect() {
  int error = 0;
  socklen_t length = sizeof error;
  if (getsockopt(connection_->fd, SOL_SOCKET, SO_ERROR, &error, &length) == -1) error = errno;
  if (error == 0) return true;
  fail(std::string("connecting failed: ") + std::strerror(error), true);
  return false;
}

void RedisConnection::connected() {
  if (ngx_tcp_nodelay(connection_) != NGX_OK) return fail("the socket could not be set up", true);
  if (options_->tls) return secure();
  greet();
}

std::string RedisConnection::tls_name() const {
  return options_->server_name.empty() ? peer_.host : options_->server_name;
}

void RedisConnection::secure() {
  state_ = State::securing;
  log_.action = const_cast<char*>("TLS handshake");
  connection_->log_error = NGX_ERROR_ERR;  // nginx knows best why a handshake fails
  if (!options_->tls->begin(*connection_, tls_name())) return fail("TLS could not start", false);
  const auto handlers = std::pair(connection_->read->handler, connection_->write->handler);
  if (ngx_ssl_handshake(connection_) == NGX_AGAIN) {
    connection_->ssl->handler = [](ngx_connection_t* connection) noexcept {
      auto* self = static_cast<RedisConnection*>(connection->data);
      guard([self] { self->secured(); });
    };
    return rearm();
  }
  connection_->read->handler = handlers.first;
  connection_->write->handler = handlers.second;
  secured();
}

void RedisConnection::secured() {
  const std::string objection = options_->tls->objection(*connection_, tls_name());
  if (!objection.empty()) return fail(objection, false);
  attach(*connection_);  // the handshake had handlers of its own
  greet();
  // With select and poll, nginx waits for nothing more until what came with the handshake was read.
  if (connection_ != nullptr && connection_->read->ready != 0) {
    ngx_post_event(connection_->read, &ngx_posted_events);
  }
}

// AUTH, SELECT, ROLE and a name for CLIENT LIST go out together; commands wait until all are
// answered.
void RedisConnection::greet() {
  state_ = State::greeting;
  log_.action = const_cast<char*>("greeting");
  const RedisOptions& options = *options_;
  const std::string_view password = options.password ? options.password->view() : std::string_view();
  out_.reserve(options.username.size() + password.size() + 256);  // no stray copies
  greeting_left_ = 1;
  if (!password.empty()) {
    ++greeting_left_;
    if (options.username.empty()) {
      append_redis_command(out_, {"AUTH", password});
    } else {
      append_redis_command(out_, {"AUTH", options.username, password});
    }
  }
  if (options.database != 0) {
    ++greeting_left_;
    append_redis_command(out_, {"SELECT", std::to_string(options.database)});
  }
  if (options.master_only) {
    ++greeting_left_;
    append_redis_command(out_, {"ROLE"});
  }
  append_redis_command(out_, {"CLIENT", "SETNAME", "ngx_openid_connect"});
  rearm();
  flush();
}

std::string RedisConnection::objection_to(const RedisReply& reply) const {
  // The name is a courtesy; but a user who must log in first learns it there.
  const bool last = greeting_left_ == 0;
  if (reply.kind == RedisReply::Kind::error) {
    const bool matters = !last || reply.text.starts_with("NOAUTH");
    return matters ? redis_error_detail(reply.text) : std::string();
  }
  if (greeting_left_ != 1 || !options_->master_only) return {};
  const bool is_master = !reply.elements.empty() && reply.elements.front().text == "master";
  return is_master ? std::string() : "it is no master";
}

void RedisConnection::greeted(const RedisReply& reply) {
  --greeting_left_;
  std::string objection = objection_to(reply);
  if (!objection.empty()) return fail(std::move(objection), false);
  if (greeting_left_ > 0) return;
  state_ = State::ready;
  log_.action = nullptr;
  connection_->log_error = NGX_ERROR_INFO;
  rearm();
  finish_opening({});
}

}  // namespace oidc
