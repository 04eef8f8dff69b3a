#include "io/redis_sentinel.h"

#include <algorithm>
#include <utility>

#include "io/redis_answers.h"
#include "io/redis_patience.h"

namespace oidc {

namespace {

constexpr Milliseconds kLeastTimeout{50};
constexpr std::uint64_t kLookEvery = 500;  // milliseconds

std::shared_ptr<const RedisOptions> options_of_master(const RedisOptions& all) {
  auto options = std::make_shared<RedisOptions>(all);
  options->master_only = true;
  return options;
}

// All Sentinels together take no longer than one attempt to connect.
std::shared_ptr<const RedisOptions> options_of_sentinel(const RedisOptions& all,
                                                        const RedisNode& node) {
  const auto share = static_cast<Milliseconds::rep>(all.sentinel_nodes.size() + 1);
  const Milliseconds timeout = std::max(all.connect_timeout / share, kLeastTimeout);
  auto options = std::make_shared<RedisOptions>();
  options->node = node;
  options->username = all.sentinel_username;
  options->password = all.sentinel_password;
  options->tls = all.tls;
  options->server_name = all.server_name;
  options->connect_timeout = options->send_timeout = options->read_timeout = timeout;
  options->connections = 1;
  options->names = all.names;
  options->title = "Sentinel";
  return options;
}

// Refused before anything was done, and by another server, or a little later, perhaps not.
bool worth_another_try(std::string_view error) {
  return error == "READONLY" || error == "LOADING" || error == "MASTERDOWN" ||
         error == "NOREPLICAS";
}

}  // namespace

RedisSentinel::RedisSentinel(NginxLoop& loop, std::shared_ptr<const RedisOptions> options)
    : loop_(loop),
      options_(std::move(options)),
      master_(loop, options_of_master(*options_), this) {
  for (const RedisNode& node : options_->sentinel_nodes) {
    sentinels_.push_back(
        std::make_unique<RedisClient>(loop_, options_of_sentinel(*options_, node)));
  }
}

RedisSentinel::~RedisSentinel() = default;

void RedisSentinel::submit(RedisCommandPtr command) {
  loop_.spawn(carry(std::move(command)));
  look();
}

void RedisSentinel::watch(RedisWatchPtr watch) {
  master_.watch(std::move(watch));
  loop_.spawn(look_for_ever());
}

// Sessions that are used from a cache ask for nothing.
Task<void> RedisSentinel::look_for_ever() {
  for (;;) {
    co_await background_sleep_for(loop_, Milliseconds(kLookEvery));
    if (!known_master_.empty() && ngx_exiting == 0) look();
  }
}

void RedisSentinel::look() {
  if (looking_ || loop_.monotonic_ms() < next_look_) return;
  looking_ = true;
  loop_.spawn(look_again());
}

Task<void> RedisSentinel::look_again() {
  const Result<RedisNode> master = co_await locate();
  looking_ = false;
  next_look_ = loop_.monotonic_ms() + kLookEvery;
  if (master) master_.leave_unless_at(*master);
}

Task<void> RedisSentinel::carry(RedisCommandPtr command) {
  RedisPatience patience(options_->connect_timeout);
  for (;;) {
    auto attempt = std::make_shared<RedisCommand>();
    attempt->bytes = command->bytes;
    attempt->replies = command->replies;
    const std::uint64_t master = masters_;
    Result<RedisReply> reply = co_await master_.send(attempt);
    if (reply) reply->place = master;
    if (command->waiter == nullptr) co_return;
    if (!worth_another_try(redis_error_name(reply)) || patience.over(loop_.monotonic_ms())) {
      command->finish(loop_, std::move(reply));
      co_return;
    }
    const Milliseconds pause = patience.next_pause(loop_.monotonic_ms());
    co_await sleep_for(loop_, pause);
    if (command->waiter == nullptr) co_return;
  }
}

// The first that knows is believed.
Task<Result<RedisNode>> RedisSentinel::locate() {
  Error failed{Errc::store_unavailable, "no Sentinel says where the master is: "};
  for (std::size_t i = 0; i < sentinels_.size(); ++i) {
    const std::size_t index = (first_ + i) % sentinels_.size();
    auto command = std::make_shared<RedisCommand>();
    command->bytes =
        redis_command({"SENTINEL", "get-master-addr-by-name", options_->sentinel_master});
    command->patient = false;
    const Result<RedisReply> reply = co_await sentinels_[index]->send(command);
    Result<RedisNode> master = master_of(reply, options_->sentinel_nodes[index]);
    if (master) {
      first_ = index;
      follow(*master);
      co_return master;
    }
    if (i > 0) failed.detail.append("; ");
    failed.detail.append(master.error().detail);
  }
  co_return failed;
}

// Another Sentinel may know better.
void RedisSentinel::located(bool usable) {
  if (!usable) first_ = (first_ + 1) % sentinels_.size();
}

Result<RedisNode> RedisSentinel::master_of(const Result<RedisReply>& reply,
                                           const RedisNode& asked) const {
  const auto failed = [&](std::string_view why) {
    Error error{Errc::store_unavailable, "Sentinel at "};
    error.detail.append(asked.text()).append(": ").append(why);
    return error;
  };
  if (!reply) return reply.error();
  if (reply->kind == RedisReply::Kind::nil) {
    return failed("it knows no master \"" + options_->sentinel_master + "\"");
  }
  const std::string failure = failure_of(reply, RedisReply::Kind::array);
  if (!failure.empty()) return failed(failure);
  if (reply->elements.size() != 2) return failed("it did not answer with an address");
  auto master = redis_node(reply->elements[0].text, reply->elements[1].text);
  if (!master) return failed("it did not answer with an address");
  return std::move(*master);
}

// In one step: what is sent from now on goes to this one, and what was read before is not current.
void RedisSentinel::follow(const RedisNode& master) {
  if (master.text() == known_master_) return;
  const ngx_uint_t level = known_master_.empty() ? NGX_LOG_INFO : NGX_LOG_NOTICE;
  known_master_ = master.text();
  ngx_log_error(level, ngx_cycle->log, 0, "oidc: the master \"%s\" of Redis is %s",
                options_->sentinel_master.c_str(), known_master_.c_str());
  ++masters_;
  master_.leave_unless_at(master);
}

}  // namespace oidc
