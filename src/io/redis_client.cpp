#include "io/redis_client.h"

#include <algorithm>
#include <utility>

#include "io/redis_tracking.h"

namespace oidc {

namespace {

// A further connection is opened when each open one has this many commands under way.
constexpr std::size_t kBusy = 4;

// A command outlasts the attempt to connect that it waits for, and so learns why that failed.
constexpr Milliseconds kSlack{20};

// So many connections in a row without an answer, and it is the server.
constexpr unsigned kSilences = 2;

constexpr ngx_msec_t kFirstPause = 50;
constexpr ngx_msec_t kLongestPause = 2000;

// Doubles with each failure; the second half of it is random, so that workers do not come together.
ngx_msec_t pause_after(unsigned failures) {
  const unsigned doublings = std::min(failures - 1, 10U);
  const ngx_msec_t pause = std::min(kFirstPause << doublings, kLongestPause);
  return pause / 2 + static_cast<ngx_msec_t>(ngx_random()) % (pause / 2 + 1);
}

}  // namespace

RedisClient::RedisClient(NginxLoop& loop, std::shared_ptr<const RedisOptions> options,
                         RedisLocator* locator)
    : loop_(loop),
      options_(std::move(options)),
      locator_(locator),
      dns_(loop, options_->names),
      peer_(options_->peer()) {
  for (std::size_t i = 0; i < std::max<std::size_t>(options_->connections, 1); ++i) {
    connections_.push_back(std::make_unique<RedisConnection>(loop_, *this, options_));
  }
  for (ngx_event_t* event : {&turn_event_, &patience_event_, &retry_event_}) {
    event->data = &event_owner_;
    event->log = ngx_cycle->log;
  }
  turn_event_.handler = [](ngx_event_t* event) noexcept {
    guard([event] { EventOwner::of<RedisClient>(event).turn(); });
  };
  patience_event_.handler = [](ngx_event_t* event) noexcept {
    guard([event] { EventOwner::of<RedisClient>(event).expire_waiting(); });
  };
  retry_event_.handler = turn_event_.handler;
  retry_event_.cancelable = 1;
}

RedisClient::~RedisClient() {
  connections_.clear();
  for (ngx_event_t* event : {&turn_event_, &patience_event_, &retry_event_}) forget_event(*event);
}

void RedisClient::watch(RedisWatchPtr watch) {
  tracking_ = std::make_unique<RedisTracking>(loop_, *this, std::move(watch));
}

void RedisClient::want_slot(std::uint16_t slot) {
  if (tracking_ != nullptr) tracking_->want(slot);
}

bool RedisClient::current(const CacheMark& mark) const noexcept {
  return tracking_ != nullptr && tracking_->current(mark.version);
}

void RedisClient::submit(RedisCommandPtr command) {
  ++stats_.commands;
  const bool pausing = ngx_current_msec < retry_at_;
  const bool probed = dialing_ || !waiting_.empty() || pausing;
  const bool refused = pausing && !dialing_ && least_loaded() == nullptr && !command->patient;
  if (refused || (known_down() && probed)) {
    wanted_ = true;
    fail(*command, down_because_);
  } else {
    wait(std::move(command));
  }
  wake();
}

void RedisClient::wait(RedisCommandPtr command) {
  const Milliseconds patience = options_->connect_timeout + kSlack;
  command->deadline = ngx_current_msec + static_cast<ngx_msec_t>(patience.count());
  waiting_.push_back(std::move(command));
}

void RedisClient::wake() noexcept {
  ngx_post_event(&turn_event_, &ngx_posted_events);
}

void RedisClient::turn() {
  dispatch();
  open_if_wanted();
  rearm_patience();
}

void RedisClient::dispatch() {
  while (!waiting_.empty()) {
    RedisConnection* connection = least_loaded();
    if (connection == nullptr) break;
    RedisCommandPtr command = std::move(waiting_.front());
    waiting_.pop_front();
    if (command->waiter != nullptr) connection->enqueue(std::move(command));
  }
  for (const auto& connection : connections_) {
    connection->flush();
    connection->close_if_done();
  }
}

void RedisClient::open_if_wanted() {
  if (dialing_) return;
  const RedisConnection* least = least_loaded();
  const bool none = least == nullptr;
  if (none ? !wanted_ && waiting_.empty() : least->load() < kBusy) return;
  if (ngx_exiting != 0 && waiting_.empty()) return;
  RedisConnection* closed = first_closed();
  if (closed == nullptr) return;
  if (ngx_current_msec < retry_at_) {
    if (none && !retry_event_.timer_set) {
      ngx_add_timer(&retry_event_, retry_at_ - ngx_current_msec);
    }
    return;
  }
  dialing_ = true;
  dialed_at_ = ngx_current_msec;
  wanted_ = false;
  loop_.spawn(dial(*closed));
}

RedisConnection* RedisClient::least_loaded() const {
  RedisConnection* least = nullptr;
  for (const auto& connection : connections_) {
    if (!connection->ready()) continue;
    if (least == nullptr || connection->load() < least->load()) least = connection.get();
  }
  return least;
}

RedisConnection* RedisClient::first_closed() const {
  for (const auto& connection : connections_) {
    if (connection->closed()) return connection.get();
  }
  return nullptr;
}

bool RedisClient::known_down() const {
  if (least_loaded() != nullptr) return false;
  if (silences_ >= kSilences) return true;
  return down_since_ != 0 && ngx_current_msec - down_since_ >=
                                 static_cast<ngx_msec_t>(options_->connect_timeout.count());
}

Task<void> RedisClient::dial(RedisConnection& connection) {
  Result<std::vector<RedisPeer>> peers = co_await find_peers();
  if (!peers) {
    on_down(peers.error());
    co_return;
  }
  std::string failures;
  for (const RedisPeer& peer : *peers) {
    Result<void> opened = co_await connection.open(peer);
    if (opened && locator_ != nullptr && !locator_->names(peer.label)) {
      connection.retire();
      opened = unusable("it has been replaced meanwhile");
    }
    if (locator_ != nullptr) locator_->located(opened.ok());
    if (opened) {
      if (tracking_ != nullptr) tracking_->ready(connection);
      on_up();
      co_return;
    }
    if (!failures.empty()) failures.append("; ");
    failures.append(opened.error().detail);
    if (peers->size() > 1) failures.append(" (" + peer.name + ")");
  }
  on_down({Errc::store_unavailable, failures});
}

Task<Result<std::vector<RedisPeer>>> RedisClient::find_peers() {
  std::vector<RedisPeer> peers;
  RedisNode node = options_->node;
  if (locator_ != nullptr) {
    Result<RedisNode> located = co_await locator_->locate();
    if (!located) co_return located.error();
    node = std::move(*located);
    leave_unless_at(node);
    peer_ = node.text();
  }
  if (!options_->socket.empty()) {
    const std::optional<RedisPeer> peer = RedisPeer::from_path(options_->socket);
    if (!peer) co_return unusable("the path of the socket is too long");
    peers.push_back(*peer);
    co_return peers;
  }
  const Result<std::vector<Address>> addresses =
      co_await dns_.resolve(node.host, node.port, options_->connect_timeout);
  if (!addresses) co_return unusable(addresses.error().detail);
  for (const Address& address : *addresses) peers.push_back(RedisPeer::from(address, node));
  co_return peers;
}

Error RedisClient::unusable(std::string_view why) const {
  Error error{Errc::store_unavailable, std::string(options_->title)};
  error.detail.append(" at ").append(peer_).append(": ").append(why);
  return error;
}

void RedisClient::on_up() {
  dialing_ = false;
  failed_attempts_ = 0;
  silences_ = 0;
  retry_at_ = 0;
  if (std::exchange(down_since_, 0) != 0) {
    ngx_log_error(NGX_LOG_NOTICE, ngx_cycle->log, 0, "oidc: %*s at %s is reachable again",
                  options_->title.size(), options_->title.data(), peer_.c_str());
  }
  wake();
}

void RedisClient::on_down(const Error& why) {
  dialing_ = false;
  if (ngx_current_msec - dialed_at_ >= static_cast<ngx_msec_t>(options_->connect_timeout.count())) {
    ++silences_;
  }
  retry_at_ = ngx_current_msec + pause_after(++failed_attempts_);
  down_because_ = why;
  if (down_since_ == 0) {
    down_since_ = ngx_current_msec;
    ngx_log_error(NGX_LOG_ERR, ngx_cycle->log, 0, "oidc: %s", why.detail.c_str());
  }
  fail_waiting(known_down());
  wake();
}

void RedisClient::fail_waiting(bool patient_too) {
  for (RedisCommandPtr& command : std::exchange(waiting_, {})) {
    if (command->patient && !patient_too) {
      waiting_.push_back(std::move(command));
    } else {
      fail(*command, down_because_);
    }
  }
}

void RedisClient::fail(RedisCommand& command, const Error& why) {
  ++stats_.failures;
  command.finish(loop_, why);
}

void RedisClient::expire_waiting() {
  while (!waiting_.empty() && waiting_.front()->deadline <= ngx_current_msec) {
    const RedisCommandPtr command = std::move(waiting_.front());
    waiting_.pop_front();
    if (down_since_ != 0) {
      fail(*command, down_because_);
    } else {
      fail(*command,
           {Errc::store_unavailable,
            std::string(options_->title) + " at " + peer_ + ": no connection in time"});
    }
  }
  rearm_patience();
}

void RedisClient::rearm_patience() {
  if (waiting_.empty()) {
    if (patience_event_.timer_set) ngx_del_timer(&patience_event_);
    return;
  }
  const std::uint64_t deadline = waiting_.front()->deadline;
  if (patience_event_.timer_set && patience_event_.timer.key <= deadline) return;
  set_timer(patience_event_, deadline > ngx_current_msec ? deadline - ngx_current_msec : 0);
}

// From inside the connection: what follows from it is for the next turn.
void RedisClient::on_redis_closed(RedisConnection& connection, const Error& why, bool broke,
                                  std::vector<RedisCommandPtr> unanswered) {
  if (tracking_ != nullptr) tracking_->gone(connection);
  if (!broke) {
    ++silences_;
    down_because_ = why;
    wanted_ = true;
  }
  const ngx_uint_t level = broke && unanswered.empty() ? NGX_LOG_INFO : NGX_LOG_ERR;
  ngx_log_error(level, ngx_cycle->log, 0, "oidc: %s, %uz commands unanswered", why.detail.c_str(),
                unanswered.size());
  for (RedisCommandPtr& command : unanswered) {
    const bool again = broke && command->idempotent && !command->sent_again;
    if (command->waiter == nullptr || !again) {
      fail(*command, why);
      continue;
    }
    command->sent_again = true;
    wait(std::move(command));
  }
  wake();
}

void RedisClient::leave_unless_at(const RedisNode& node) {
  const std::string server = node.text();
  for (const auto& connection : connections_) {
    if (connection->peer().label != server) connection->retire();
  }
  if (tracking_ != nullptr) tracking_->leave_unless_at(server);
}

bool RedisClient::idle() const {
  return !dialing_ && waiting_.empty() && (tracking_ == nullptr || tracking_->idle()) &&
         std::all_of(connections_.begin(), connections_.end(),
                     [](const auto& connection) { return connection->load() == 0; });
}

Redis::Stats RedisClient::stats() const {
  Stats result = stats_;
  result.down = down_since_ != 0;
  result.connections = static_cast<std::size_t>(
      std::count_if(connections_.begin(), connections_.end(),
                    [](const auto& connection) { return connection->ready(); }));
  return result;
}

}  // namespace oidc
