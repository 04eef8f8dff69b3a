#include "io/redis.h"

#include "io/redis_client.h"
#include "io/redis_cluster.h"
#include "io/redis_sentinel.h"

namespace oidc {

void RedisAwaiter::await_suspend(std::coroutine_handle<> handle) {
  waiter_.handle = handle;
  command_->waiter = &waiter_;
  redis_.submit(command_);
}

RedisAwaiter Redis::run(std::string_view key, std::string bytes, std::size_t replies) {
  auto command = std::make_shared<RedisCommand>();
  command->slot = slot_of(key);
  command->bytes = std::move(bytes);
  command->replies = replies;
  return {*this, std::move(command)};
}

std::unique_ptr<Redis> make_redis(NginxLoop& loop, std::shared_ptr<const RedisOptions> options) {
  if (!options->cluster_nodes.empty()) {
    return std::make_unique<RedisCluster>(loop, std::move(options));
  }
  if (!options->sentinel_nodes.empty()) {
    return std::make_unique<RedisSentinel>(loop, std::move(options));
  }
  return std::make_unique<RedisClient>(loop, std::move(options));
}

}  // namespace oidc
