#include "io/redis_topology.h"

#include <algorithm>
#include <tuple>
#include <utility>

#include "io/redis_answers.h"

namespace oidc {

namespace {

constexpr Milliseconds kRefreshPause{100};  // least time between two
constexpr Milliseconds kSweepPause{500};

}  // namespace

RedisTopology::RedisTopology(NginxLoop& loop, std::shared_ptr<const RedisOptions> options)
    : loop_(loop),
      options_(std::move(options)),
      slots_(kRedisSlots),
      moves_(kRedisSlots),
      refreshed_(std::make_shared<Promised<bool>>()) {}

RedisClusterNodePtr RedisTopology::node_at(const RedisNode& place) {
  RedisClusterNodePtr& node = nodes_[place];
  if (!node) {
    auto options = std::make_shared<RedisOptions>(*options_);
    options->node = place;
    node = std::make_shared<RedisClusterNode>(loop_, place, std::move(options));
    if (watch_) node->client.watch(watch_);
  }
  return node;
}

void RedisTopology::watch(RedisWatchPtr watch) {
  watch_ = std::move(watch);
  for (const auto& [place, node] : nodes_) node->client.watch(watch_);
}

bool RedisTopology::valid(const CacheMark& mark) const noexcept {
  return mark.place == place_of(static_cast<std::uint16_t>(mark.place % kRedisSlots));
}

bool RedisTopology::current(const CacheMark& mark) const noexcept {
  const RedisClusterNodePtr& owner = slots_[mark.place % kRedisSlots];
  return valid(mark) && owner != nullptr && owner->client.current(mark);
}

void RedisTopology::give(std::uint16_t slot, const RedisClusterNodePtr& node) {
  if (slots_[slot] == node) return;
  slots_[slot] = node;
  ++moves_[slot];
}

bool RedisTopology::refresh(RedisClusterNodePtr first) {
  if (learning_) return true;
  if (loop_.monotonic_ms() < next_refresh_) return false;
  learning_ = true;
  loop_.spawn(learn(std::move(first)));
  return true;
}

PromisedAwaiter<bool> RedisTopology::refreshed(Milliseconds patience) {
  return wait_for(loop_, refreshed_, patience);
}

Task<void> RedisTopology::learn(RedisClusterNodePtr first) {
  std::vector<RedisClusterNodePtr> candidates = whom_to_ask(first);
  first.reset();
  std::string failures;
  for (const RedisClusterNodePtr& node : candidates) {
    auto command = std::make_shared<RedisCommand>();
    command->bytes = redis_command({"CLUSTER", "SLOTS"});
    command->patient = false;
    const Result<RedisReply> reply = co_await node->client.send(command);
    std::string failure = failure_of(reply, RedisReply::Kind::array);
    if (failure.empty()) {
      const auto ranges = redis_slot_ranges(*reply, node->place);
      if (ranges && !ranges->empty()) {
        apply(*ranges);
        failures.clear();
        break;
      }
      failure = ranges ? "it knows of no slots" : "it did not answer with the cluster's slots";
    }
    if (!reply) node->failed_at = loop_.monotonic_ms();
    if (!failures.empty()) failures.append("; ");
    if (reply) failures.append("Redis at ").append(node->place.text()).append(": ");
    failures.append(failure);
  }
  candidates.clear();
  learnt(std::move(failures));
}

void RedisTopology::learnt(std::string failure) {
  const std::uint64_t now = loop_.monotonic_ms();
  learning_ = false;
  next_refresh_ = now + static_cast<std::uint64_t>(kRefreshPause.count());
  failure_ = std::move(failure);
  if (failure_.empty()) {
    down_since_ = 0;
  } else if (down_since_ == 0) {
    down_since_ = now;
    ngx_log_error(NGX_LOG_ERR, ngx_cycle->log, 0, "oidc: no node of the Redis cluster answers: %s",
                  failure_.c_str());
  }
  if (!sweep() && !sweeping_) {
    sweeping_ = true;
    loop_.spawn(sweep_until_clean());
  }
  std::exchange(refreshed_, std::make_shared<Promised<bool>>())->set(true);
}

// Those that failed least lately first, and of equals any: workers do not all ask the same one.
std::vector<RedisClusterNodePtr> RedisTopology::whom_to_ask(const RedisClusterNodePtr& first) {
  for (const RedisNode& seed : options_->cluster_nodes) {
    static_cast<void>(node_at(seed));
  }
  std::vector<RedisClusterNodePtr> candidates;
  for (const auto& [place, node] : nodes_) candidates.push_back(node);
  const auto turn = static_cast<std::size_t>(ngx_random()) % candidates.size();
  std::rotate(candidates.begin(), candidates.begin() + static_cast<std::ptrdiff_t>(turn),
              candidates.end());
  std::stable_sort(candidates.begin(), candidates.end(),
                   [&](const RedisClusterNodePtr& a, const RedisClusterNodePtr& b) {
                     const auto rank = [&](const RedisClusterNodePtr& node) {
                       // An open connection costs least.
                       return std::tuple(node != first, node->failed_at,
                                         node->client.stats().connections == 0);
                     };
                     return rank(a) < rank(b);
                   });
  return candidates;
}

void RedisTopology::apply(const std::vector<RedisSlotRange>& ranges) {
  std::vector<RedisClusterNodePtr> slots(kRedisSlots);
  for (const RedisSlotRange& range : ranges) {
    const RedisClusterNodePtr node = node_at(range.master);
    std::fill(slots.begin() + range.first, slots.begin() + range.last + 1, node);
  }
  for (std::size_t slot = 0; slot < kRedisSlots; ++slot) {
    give(static_cast<std::uint16_t>(slot), slots[slot]);
  }
}

bool RedisTopology::known_down() const {
  return down_since_ != 0 && !learning_ &&
         loop_.monotonic_ms() - down_since_ >=
             static_cast<std::uint64_t>(options_->connect_timeout.count());
}

// Who is referred to by the map of nodes alone serves no slot, and nobody talks to it.
bool RedisTopology::sweep() {
  bool clean = true;
  for (auto node = nodes_.begin(); node != nodes_.end();) {
    const RedisClusterNodePtr& its = node->second;
    const bool serves = std::find(slots_.begin(), slots_.end(), its) != slots_.end();
    if (serves) {
      ++node;
    } else if (its.use_count() > 1 || !its->client.idle()) {
      clean = false;
      ++node;
    } else {
      const Redis::Stats its_stats = its->client.stats();
      gone_commands_ += its_stats.commands;
      gone_failures_ += its_stats.failures;
      node = nodes_.erase(node);
    }
  }
  return clean;
}

Task<void> RedisTopology::sweep_until_clean() {
  do {
    co_await background_sleep_for(loop_, kSweepPause);
  } while (!sweep());
  sweeping_ = false;
}

Redis::Stats RedisTopology::stats() const {
  Redis::Stats all;
  all.down = down_since_ != 0;
  all.commands = gone_commands_;
  all.failures = gone_failures_;
  for (const auto& [place, node] : nodes_) {
    const Redis::Stats its = node->client.stats();
    all.connections += its.connections;
    all.commands += its.commands;
    all.failures += its.failures;
  }
  return all;
}

}  // namespace oidc
