#include "io/redis_tracking.h"

#include <charconv>
#include <utility>

#include "io/redis_slots.h"

namespace oidc {

namespace {

constexpr ngx_msec_t kPingInterval = 1000;
constexpr ngx_msec_t kPatience = 2000;     // for the answer to a PING
constexpr ngx_msec_t kPause = 250;         // before the channel is opened again
constexpr ngx_msec_t kLongPause = 60'000;  // where Redis refuses
constexpr std::string_view kChannel = "__redis__:invalidate";
constexpr std::string_view kProbeLife = "1";  // ms: its being written is all that matters

// One command on a connection of our own.
class Call {
 public:
  Call(RedisConnection& connection, std::string bytes)
      : connection_(connection), command_(std::make_shared<RedisCommand>()) {
    command_->bytes = std::move(bytes);
    command_->idempotent = false;
  }
  Call(const Call&) = delete;
  Call& operator=(const Call&) = delete;
  ~Call() { command_->waiter = nullptr; }
  bool await_ready() const noexcept { return false; }
  void await_suspend(std::coroutine_handle<> handle) {
    waiter_.handle = handle;
    command_->waiter = &waiter_;
    connection_.enqueue(command_);
    connection_.flush();
  }
  Result<RedisReply> await_resume() {
    command_->waiter = nullptr;
    return std::move(*command_->result);
  }

 private:
  RedisConnection& connection_;
  RedisCommandPtr command_;
  Waiter waiter_;
};

// co_await call(connection, bytes): Result<RedisReply>.
Call call(RedisConnection& connection, std::string bytes) { return {connection, std::move(bytes)}; }

// A state of the server that ends, and of which its own requests tell.
bool is_passing(std::string_view error) noexcept {
  for (const std::string_view name : {"LOADING", "BUSY", "MASTERDOWN", "OOM", "MISCONF",
                                      "CLUSTERDOWN", "NOREPLICAS", "READONLY", "MOVED", "ASK",
                                      "TRYAGAIN"}) {
    if (error.starts_with(name)) return true;
  }
  return false;
}

// Of all connections of this worker.
std::uint64_t next_serial() {
  static std::uint64_t last = 0;
  return ++last;
}

std::string error_of(const Result<RedisReply>& reply) {
  if (!reply) return reply.error().detail;
  return reply->kind == RedisReply::Kind::error ? redis_error_detail(reply->text) : std::string();
}

}  // namespace

RedisTracking::RedisTracking(NginxLoop& loop, RedisClient& client, RedisWatchPtr watch)
    : loop_(loop),
      client_(client),
      watch_(std::move(watch)),
      channel_(loop, *this, client.shared_options()) {
  tick_event_.data = &event_owner_;
  tick_event_.log = ngx_cycle->log;
  tick_event_.cancelable = 1;
  tick_event_.handler = [](ngx_event_t* event) noexcept {
    guard([event] { EventOwner::of<RedisTracking>(event).tick(); });
  };
}

RedisTracking::~RedisTracking() { forget_event(tick_event_); }

bool RedisTracking::current(std::uint64_t tracked) const noexcept {
  return up_ && ngx_current_msec - alive_at_ <= kPatience && live_.contains(tracked);
}

void RedisTracking::want(std::uint16_t slot) {
  slot_ = slot;
  if (up_ || opening_ || ngx_current_msec < retry_at_ || ngx_exiting != 0) return;
  const RedisConnection* example = nullptr;
  client_.for_each_ready([&example](const RedisConnection& connection) { example = &connection; });
  if (example == nullptr || !channel_.closed()) return;
  opening_ = true;
  loop_.spawn(open(example->peer()));
}

Task<void> RedisTracking::open(RedisPeer peer) {
  const std::uint64_t since = ngx_current_msec;
  const Result<std::int64_t> id = co_await subscribe(peer);
  opening_ = false;
  retry_at_ = ngx_current_msec + kPause;
  if (!id) {
    if (id.error().code == Errc::store_unavailable) co_return;  // the client says why
    refuse(id.error().detail);
  } else if (!channel_.closed()) {
    up(*id, since);
  }
}

// The channel's own number, by which Redis knows where to send what it hears.
Task<Result<std::int64_t>> RedisTracking::subscribe(RedisPeer peer) {
  const Result<void> opened = co_await channel_.open(peer);
  if (!opened) co_return opened.error();
  std::string command = redis_command({"CLIENT", "ID"});
  const Result<RedisReply> id = co_await call(channel_, std::move(command));
  if (!id) co_return id.error();
  if (id->kind != RedisReply::Kind::integer) co_return Error{Errc::internal, error_of(id)};
  command = redis_command({"SUBSCRIBE", kChannel});
  const Result<RedisReply> subscribed = co_await call(channel_, std::move(command));
  if (!subscribed) co_return subscribed.error();
  if (subscribed->kind != RedisReply::Kind::array) {
    co_return Error{Errc::internal, error_of(subscribed)};
  }
  co_return id->integer;
}

void RedisTracking::up(std::int64_t id, std::uint64_t since) {
  if (!is_at_home()) return put_off(kPause);
  up_ = true;
  channel_id_ = id;
  alive_at_ = since;
  channel_.listen([this](RedisReply reply) { heard(reply); });
  ping();
  client_.for_each_ready([this](RedisConnection& connection) { track(connection); });
  set_timer(tick_event_, kPingInterval);
}

void RedisTracking::down(const std::string& why) {
  if (!std::exchange(up_, false)) return;
  live_.clear();
  probes_.clear();
  retry_at_ = ngx_current_msec + kPause;
  if (tick_event_.timer_set) ngx_del_timer(&tick_event_);
  if (ngx_exiting != 0) return;
  ngx_log_error(NGX_LOG_NOTICE, ngx_cycle->log, 0,
                "oidc: %s: the channel of invalidations is lost, sessions are asked for until it "
                "is back",
                why.c_str());
}

void RedisTracking::refuse(const std::string& why) {
  if (!std::exchange(warned_, true)) {
    ngx_log_error(NGX_LOG_WARN, ngx_cycle->log, 0,
                  "oidc: Redis at %s: no cache of sessions (oidc_session_cache), since CLIENT "
                  "TRACKING or its channel %*s is not to be had: %s",
                  channel_.peer().label.c_str(), kChannel.size(), kChannel.data(), why.c_str());
  }
  put_off(kLongPause);
}

void RedisTracking::put_off(ngx_msec_t pause) {
  up_ = false;
  live_.clear();
  probes_.clear();
  retry_at_ = ngx_current_msec + pause;
  if (tick_event_.timer_set) ngx_del_timer(&tick_event_);
  if (!channel_.closed()) channel_.give_up("not of use");
}

bool RedisTracking::reaches(const RedisConnection& connection) const {
  return connection.peer().name == channel_.peer().name;
}

bool RedisTracking::is_at_home() {
  bool found = false;
  client_.for_each_ready([&](const RedisConnection& connection) {
    found = found || reaches(connection);
  });
  return found;
}

void RedisTracking::leave_unless_at(const std::string& server) {
  if (!channel_.closed() && channel_.peer().label != server) put_off(0);
}

void RedisTracking::ready(RedisConnection& connection) {
  if (up_ && !is_at_home()) channel_.give_up("Redis is elsewhere now");
  if (up_) {
    track(connection);
  } else if (slot_) {
    want(*slot_);
  }
}

void RedisTracking::gone(RedisConnection& connection) {
  const std::uint64_t serial = connection.tracked();
  live_.erase(serial);
  std::erase_if(probes_, [serial](const auto& probe) { return probe.second.serial == serial; });
}

void RedisTracking::on_redis_closed(RedisConnection&, const Error& why, bool,
                                    std::vector<RedisCommandPtr> unanswered) {
  for (const RedisCommandPtr& command : unanswered) command->finish(loop_, why);
  down(why.detail);
}

// One that this server has, in a cluster.
std::string RedisTracking::key_of_ours() const {
  std::string key(watch_->prefix);
  return key.append("tracking:{").append(redis_tag_of(slot_.value_or(0))).append("}");
}

// What is read on the connection from now on carries the serial. It counts when the channel told of
// the change that is made here: then the way of invalidations is known to be whole.
void RedisTracking::track(RedisConnection& connection) {
  if (!reaches(connection)) return;
  const std::uint64_t serial = next_serial();
  std::string probe = key_of_ours();
  probe.append(":").append(std::to_string(channel_id_));
  probe.append(":").append(std::to_string(serial));
  probe.append(":").append(std::to_string(ngx_random()));
  auto command = std::make_shared<RedisCommand>();
  append_redis_command(command->bytes, {"CLIENT", "TRACKING", "ON", "REDIRECT",
                                        std::to_string(channel_id_)});
  append_redis_command(command->bytes, {"GET", probe});
  append_redis_command(command->bytes, {"SET", probe, "", "PX", kProbeLife});
  command->replies = 3;
  command->idempotent = false;
  command->on_result = [this](const Result<RedisReply>& reply) {
    if (!reply || reply->kind != RedisReply::Kind::error || !up_) return;
    if (is_passing(reply->text)) return put_off(kPatience);
    refuse(redis_error_detail(reply->text));
  };
  probes_.emplace(std::move(probe), Probe{serial, ngx_current_msec});
  connection.enqueue(std::move(command));
  connection.set_tracked(serial);
  connection.flush();
}

void RedisTracking::heard(const RedisReply& reply) {
  if (reply.kind != RedisReply::Kind::array || reply.elements.empty()) return;
  const std::string& kind = reply.elements.front().text;
  if (kind == "message" && reply.elements.size() == 3) {
    const RedisReply& names = reply.elements[2];
    if (names.kind == RedisReply::Kind::nil) {  // FLUSHDB, FLUSHALL
      watch_->cache->flush();
    }
    for (const RedisReply& name : names.elements) changed(name.text);
  } else if (kind == "pong" && reply.elements.size() == 2) {
    const std::string& text = reply.elements[1].text;
    std::uint64_t sent = 0;
    const auto read = std::from_chars(text.data(), text.data() + text.size(), sent);
    if (read.ec == std::errc() && sent > alive_at_ && sent <= ngx_current_msec) alive_at_ = sent;
  }
}

void RedisTracking::changed(std::string_view name) {
  if (const auto probe = probes_.find(std::string(name)); probe != probes_.end()) {
    const std::uint64_t serial = probe->second.serial;
    probes_.erase(probe);
    client_.for_each_ready([this, serial](const RedisConnection& connection) {
      if (connection.tracked() == serial) live_.insert(serial);
    });
    return;
  }
  StoreKey key;
  const std::string& prefix = watch_->prefix;
  if (!name.starts_with(prefix) || name.size() - prefix.size() != key.text.size()) return;
  name.copy(key.text.data(), key.text.size(), prefix.size());
  watch_->cache->invalidate(key);
}

void RedisTracking::tick() {
  if (!up_) return;
  if (ngx_current_msec - alive_at_ > kPatience) {
    return channel_.give_up("no answer to PING within 2 s");
  }
  for (auto probe = probes_.begin(); probe != probes_.end();) {
    if (ngx_current_msec - probe->second.since <= kPatience) {
      ++probe;
      continue;
    }
    probe = probes_.erase(probe);
    if (std::exchange(warned_, true)) continue;
    ngx_log_error(NGX_LOG_WARN, ngx_cycle->log, 0,
                  "oidc: Redis at %s: changes are not heard of, a connection caches no sessions",
                  channel_.peer().label.c_str());
  }
  ping();
  check();
  set_timer(tick_event_, kPingInterval);
}

// The answer brings back when it was sent: a proof of that moment, not of its own.
void RedisTracking::ping() {
  channel_.send(redis_command({"PING", std::to_string(ngx_current_msec)}));
  channel_.flush();
}

void RedisTracking::check() {
  if (!up_ || client_.options().cluster_nodes.empty()) return;
  RedisConnection* asked = nullptr;
  client_.for_each_ready([&asked](RedisConnection& connection) { asked = &connection; });
  if (asked == nullptr) return;
  auto command = std::make_shared<RedisCommand>();
  command->bytes = redis_command({"GET", key_of_ours()});
  command->idempotent = false;
  command->on_result = [this](const Result<RedisReply>& reply) {
    if (!reply || reply->kind != RedisReply::Kind::error || !up_) return;
    const std::string_view name = redis_error_name(reply->text);
    if (name == "ASK" || name == "TRYAGAIN") return;  // the slot moves, and is still its own
    channel_.give_up(redis_error_detail(reply->text));
  };
  asked->enqueue(std::move(command));
  asked->flush();
}

}  // namespace oidc
