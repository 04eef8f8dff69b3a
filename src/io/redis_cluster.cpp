#include "io/redis_cluster.h"

#include <utility>

#include "io/redis_answers.h"

namespace oidc {

RedisCluster::RedisCluster(NginxLoop& loop, std::shared_ptr<const RedisOptions> options)
    : loop_(loop), options_(std::move(options)), topology_(loop, options_) {}

namespace {

constexpr Milliseconds kLearnEvery{1000};

}  // namespace

void RedisCluster::watch(RedisWatchPtr watch) {
  topology_.watch(std::move(watch));
  loop_.spawn(learn_for_ever());
}

// Sessions that are used from a cache meet no redirection.
Task<void> RedisCluster::learn_for_ever() {
  for (;;) {
    co_await background_sleep_for(loop_, kLearnEvery);
    if (topology_.is_known() && ngx_exiting == 0) topology_.refresh(nullptr);
  }
}

void RedisCluster::want_slot(std::uint16_t slot) {
  if (const RedisClusterNodePtr node = topology_.owner(slot)) node->client.want_slot(slot);
}

std::uint16_t RedisCluster::slot_of(std::string_view key) const { return redis_slot(key); }

void RedisCluster::submit(RedisCommandPtr command) { loop_.spawn(carry(std::move(command))); }

Task<void> RedisCluster::carry(RedisCommandPtr command) {
  Journey journey(options_->connect_timeout);
  Result<RedisReply> reply = Errc::store_unavailable;
  for (;;) {
    if (!journey.node) journey.node = topology_.owner(command->slot);
    Next next = Next::later;
    if (journey.node) {
      auto attempt = std::make_shared<RedisCommand>();
      attempt->patient = false;
      attempt->asking = journey.asking;
      attempt->bytes = journey.asking ? redis_asking(command->bytes) : command->bytes;
      attempt->replies = command->replies;
      const std::uint64_t place = topology_.place_of(command->slot);
      reply = co_await journey.node->client.send(attempt);
      if (reply) reply->place = place;
      if (command->waiter == nullptr) co_return;
      next = judge(reply, journey);
    } else {
      if (!topology_.refresh(nullptr) && topology_.known_down()) next = Next::done;
      reply = nobody(command->slot);
    }
    if (next == Next::later && journey.patience.over(loop_.monotonic_ms())) next = Next::done;
    if (next == Next::done) {
      command->finish(loop_, std::move(reply));
      co_return;
    }
    if (next == Next::at_once) continue;
    const RedisClusterNodePtr before = std::exchange(journey.node, nullptr);
    journey.asking = false;
    const Milliseconds pause = next == Next::if_moved
                                   ? options_->connect_timeout
                                   : journey.patience.next_pause(loop_.monotonic_ms());
    co_await topology_.refreshed(pause);
    if (command->waiter == nullptr) co_return;
    if (next == Next::if_moved && topology_.owner(command->slot) == before) {
      command->finish(loop_, std::move(reply));
      co_return;
    }
  }
}

RedisCluster::Next RedisCluster::judge(Result<RedisReply>& reply, Journey& journey) {
  const std::string_view error = redis_error_name(reply);
  if (reply && error.empty()) {
    journey.node->failed_at = 0;
    return Next::done;
  }
  if (error == "MOVED" || error == "ASK") return redirect(reply, journey);
  if (error == "TRYAGAIN") return Next::later;
  if (!reply) {
    journey.node->failed_at = loop_.monotonic_ms();
    const bool learning = topology_.refresh(nullptr);
    // A node that is known to be away is not waited for, only the news that another took its place.
    if (!journey.node->client.known_down()) return Next::later;
    return learning ? Next::if_moved : Next::done;
  }
  if (error == "CLUSTERDOWN" || error == "LOADING" || error == "READONLY" ||
      error == "MASTERDOWN" || error == "NOREPLICAS") {
    topology_.refresh(nullptr);
    return Next::later;
  }
  return Next::done;
}

RedisCluster::Next RedisCluster::redirect(Result<RedisReply>& reply, Journey& journey) {
  const bool moved = redis_error_name(reply) == "MOVED";
  const auto redirection = redis_redirection(reply->text, journey.node->place);
  if (!redirection) return Next::done;
  if (++journey.redirections > options_->cluster_max_redirections) {
    Error error{Errc::store_unavailable, "the Redis cluster redirects more often than "};
    error.detail.append("oidc_redis_cluster_max_redirections");
    reply = std::move(error);
    return Next::done;
  }
  if (moved) {
    topology_.moved(redirection->slot, redirection->node);
    topology_.refresh(topology_.owner(redirection->slot));
  }
  journey.node = topology_.node_at(redirection->node);
  journey.asking = !moved;
  return Next::at_once;
}

Error RedisCluster::nobody(std::uint16_t slot) const {
  Error error{Errc::store_unavailable, {}};
  if (topology_.failure().empty()) {
    error.detail.append("no node of the Redis cluster serves slot ").append(std::to_string(slot));
  } else {
    error.detail.append("no node of the Redis cluster answers: ").append(topology_.failure());
  }
  return error;
}

}  // namespace oidc
