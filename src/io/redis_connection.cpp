#include "io/redis_connection.h"

#include <array>
#include <utility>

namespace oidc {

namespace {

constexpr std::size_t kKeptCapacity = 256 * 1024;  // of the output buffer, between bursts

std::uint64_t after(Milliseconds delay) noexcept {
  return ngx_current_msec + static_cast<std::uint64_t>(delay.count());
}

RedisReply whole(std::vector<RedisReply> replies) {
  for (RedisReply& reply : replies) {
    if (reply.kind == RedisReply::Kind::error) return std::move(reply);
  }
  RedisReply result;
  result.kind = RedisReply::Kind::array;
  result.elements = std::move(replies);
  return result;
}

}  // namespace

RedisConnection::RedisConnection(Loop& loop, Owner& owner,
                                 std::shared_ptr<const RedisOptions> options)
    : loop_(loop), owner_(owner), options_(std::move(options)) {
  timer_.data = &timer_owner_;
  timer_.handler = [](ngx_event_t* event) noexcept {
    guard([event] { EventOwner::of<RedisConnection>(event).on_timer(); });
  };
}

RedisConnection::~RedisConnection() {
  close();
  if (opening_ != nullptr) std::exchange(opening_, nullptr)->result_ = Errc::store_unavailable;
}

void RedisConnection::enqueue(RedisCommandPtr command) {
  command->deadline = after(options_->read_timeout);
  command->asked = false;
  if (out_.empty()) send_deadline_ = after(options_->send_timeout);
  command->tracked = tracked_;
  command->gathered.clear();
  out_.append(command->bytes);
  pending_.push_back(std::move(command));
}

void RedisConnection::flush() {
  if (connection_ == nullptr || out_.empty()) return;
  while (sent_ < out_.size()) {
    auto* rest = reinterpret_cast<u_char*>(out_.data() + sent_);
    const ssize_t n = connection_->send(connection_, rest, out_.size() - sent_);
    if (n == NGX_AGAIN) break;
    if (n <= 0) return fail("sending failed", true);
    sent_ += static_cast<std::size_t>(n);
    send_deadline_ = after(options_->send_timeout);
  }
  if (sent_ == out_.size()) {
    if (state_ == State::greeting) cleanse(out_);
    out_.clear();
    if (out_.capacity() > kKeptCapacity) out_.shrink_to_fit();
    sent_ = 0;
  }
  if (ngx_handle_write_event(connection_->write, 0) != NGX_OK) {
    return fail("the event could not be set", true);
  }
  rearm();
}

void RedisConnection::on_write() {
  if (state_ == State::connecting) {
    if (check_connect()) connected();
    return;
  }
  flush();
}

void RedisConnection::on_read() {
  if (state_ == State::connecting) {
    if (check_connect()) connected();
    return;
  }
  if (connection_->close != 0 && state_ == State::ready && pending_.empty()) {
    return fail("the worker shuts down", true);
  }
  const bool was_ready = state_ == State::ready;
  static std::array<char, 16384> buffer;  // a worker has one thread
  for (;;) {
    auto* room = reinterpret_cast<u_char*>(buffer.data());
    const ssize_t n = connection_->recv(connection_, room, buffer.size());
    if (n == NGX_AGAIN) break;
    if (n <= 0) return fail("Redis closed the connection", true);
    if (!parse({buffer.data(), static_cast<std::size_t>(n)})) return;
    if (connection_->read->ready == 0) break;
  }
  if (ngx_handle_read_event(connection_->read, 0) != NGX_OK) {
    return fail("the event could not be set", true);
  }
  rearm();
  // One that has just got ready was opened for commands that wait for the owner's next turn.
  if (was_ready) close_if_done();
}

bool RedisConnection::parse(std::string_view bytes) {
  if (parser_->feed(bytes)) {
    while (std::optional<RedisReply> reply = parser_->next()) {
      if (state_ == State::greeting) {
        greeted(*reply);
        if (state_ == State::closed) return false;
      } else if (hear_) {
        hear_(std::move(*reply));
        if (state_ == State::closed) return false;
      } else if (pending_.empty()) {
        fail("Redis sent a reply that nobody asked for", false);
        return false;
      } else {
        take(std::move(*reply));
      }
    }
  }
  if (!parser_->broken()) return true;
  fail("what Redis sent is not its protocol, or too large", false);
  return false;
}

void RedisConnection::take(RedisReply reply) {
  RedisCommand& first = *pending_.front();
  if (first.asking) {
    first.asked = !first.asked;
    if (first.asked) return;
  }
  if (first.replies > 1) {
    first.gathered.push_back(std::move(reply));
    if (first.gathered.size() < first.replies) return;
    reply = whole(std::move(first.gathered));
  }
  reply.tracked = first.tracked;
  // A replica that was a master, or a user who was changed: a new connection may do better.
  if (reply.kind == RedisReply::Kind::error && !first.on_result) {
    const std::string_view name = redis_error_name(reply.text);
    if (name == "READONLY" || name == "NOAUTH") retiring_ = true;
  }
  const RedisCommandPtr command = std::move(pending_.front());
  pending_.pop_front();
  command->finish(loop_, std::move(reply));
}

void RedisConnection::retire() {
  if (state_ != State::ready) return;
  retiring_ = true;
  close_if_done();
}

void RedisConnection::close_if_done() {
  if (state_ != State::ready || !pending_.empty()) return;
  if (retiring_) {
    fail("this connection is of no more use", true);
  } else if (ngx_exiting != 0) {
    fail("the worker shuts down", true);
  }
}

void RedisConnection::on_timer() {
  if (next_deadline() > ngx_current_msec) return rearm();
  if (state_ == State::closed) return;
  if (state_ != State::ready) return fail(std::string("timed out ") + stage(), false);
  fail(out_.empty() ? "Redis did not answer in time" : "Redis did not read in time", false);
}

const char* RedisConnection::stage() const noexcept {
  constexpr std::array kStages{"closed", "connecting", "in the TLS handshake",
                               "waiting for the answer to AUTH or SELECT", "ready"};
  return kStages[static_cast<std::size_t>(state_)];
}

std::uint64_t RedisConnection::next_deadline() const noexcept {
  constexpr std::uint64_t kNever = ~std::uint64_t{0};
  if (state_ == State::closed) return kNever;
  if (state_ != State::ready) return open_deadline_;
  std::uint64_t deadline = pending_.empty() ? kNever : pending_.front()->deadline;
  if (!out_.empty()) deadline = std::min(deadline, send_deadline_);
  return deadline;
}

// The timer is left alone while it fires early enough; with nothing to wait for it does not keep a
// worker that shuts down.
void RedisConnection::rearm() {
  const std::uint64_t deadline = next_deadline();
  const bool busy = deadline != ~std::uint64_t{0};
  timer_.cancelable = busy ? 0 : 1;
  if (connection_ != nullptr) connection_->idle = busy ? 0 : 1;
  if (!busy || (timer_.timer_set && timer_.timer.key <= deadline)) return;
  set_timer(timer_, deadline > ngx_current_msec ? deadline - ngx_current_msec : 0);
}

void RedisConnection::fail(std::string detail, bool broke) {
  Error why{Errc::store_unavailable, std::string(options_->title)};
  why.detail.append(" at ").append(peer_.label).append(": ").append(detail);
  std::vector<RedisCommandPtr> unanswered(pending_.begin(), pending_.end());
  const bool was_ready = state_ == State::ready;
  close();
  if (was_ready) {
    owner_.on_redis_closed(*this, why, broke, std::move(unanswered));
  } else {
    finish_opening(why);
  }
}

void RedisConnection::close() noexcept {
  state_ = State::closed;
  retiring_ = false;
  forget_event(timer_);
  pending_.clear();
  cleanse(out_);
  out_.clear();
  sent_ = 0;
  parser_.reset();
  if (ngx_connection_t* closing = std::exchange(connection_, nullptr)) {
    if (closing->ssl != nullptr) {
      closing->ssl->no_wait_shutdown = 1;
      if (ngx_ssl_shutdown(closing) == NGX_AGAIN) {
        SSL_free(closing->ssl->connection);
        closing->ssl = nullptr;
      }
    }
    ngx_close_connection(closing);
  }
  if (ngx_pool_t* pool = std::exchange(pool_, nullptr)) ngx_destroy_pool(pool);
}

u_char* RedisConnection::log_context(ngx_log_t* log, u_char* buffer, std::size_t size) noexcept {
  const auto& self = *static_cast<const RedisConnection*>(log->data);
  u_char* end = buffer;
  if (log->action != nullptr) end = ngx_snprintf(end, size, " while %s", log->action);
  size -= static_cast<std::size_t>(end - buffer);
  return ngx_snprintf(end, size, ", redis: %s", self.peer_.label.c_str());
}

}  // namespace oidc
