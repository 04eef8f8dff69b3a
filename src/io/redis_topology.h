// Who serves which slot of a cluster, and a client for each node. Learnt from any node by CLUSTER
// SLOTS, corrected by redirections. Nodes that serve nothing any more go when they are idle.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "io/redis_client.h"
#include "io/redis_slots.h"

namespace oidc {

struct RedisClusterNode {
  RedisClusterNode(NginxLoop& loop, RedisNode its_place,
                   std::shared_ptr<const RedisOptions> options)
      : place(std::move(its_place)), client(loop, std::move(options)) {}

  RedisNode place;
  RedisClient client;
  std::uint64_t failed_at = 0;  // on the loop's clock; 0: never
};
using RedisClusterNodePtr = std::shared_ptr<RedisClusterNode>;

class RedisTopology {
 public:
  RedisTopology(NginxLoop& loop, std::shared_ptr<const RedisOptions> options);
  RedisTopology(const RedisTopology&) = delete;
  RedisTopology& operator=(const RedisTopology&) = delete;

  // Null: nobody that we know of.
  [[nodiscard]] RedisClusterNodePtr owner(std::uint16_t slot) const { return slots_[slot]; }
  // A node that a redirection named.
  [[nodiscard]] RedisClusterNodePtr node_at(const RedisNode& place);
  void moved(std::uint16_t slot, const RedisNode& to) { give(slot, node_at(to)); }

  // Nodes are watched from now on.
  void watch(RedisWatchPtr watch);
  // The slot, and how often it has moved: of each read before it is sent.
  [[nodiscard]] std::uint64_t place_of(std::uint16_t slot) const noexcept {
    return std::uint64_t{moves_[slot]} << 16 | slot;
  }
  // The slot has not moved since.
  [[nodiscard]] bool valid(const CacheMark& mark) const noexcept;
  // ... and it was read from the slot's owner, who would have told of changes.
  [[nodiscard]] bool current(const CacheMark& mark) const noexcept;
  [[nodiscard]] bool is_known() const noexcept { return !nodes_.empty(); }

  // Learns anew, unless that is under way or was just done (false). `first` is asked first; may be
  // null.
  bool refresh(RedisClusterNodePtr first);
  // co_await topology.refreshed(patience): after the next end of a refresh, or of patience.
  [[nodiscard]] PromisedAwaiter<bool> refreshed(Milliseconds patience);

  // Why nobody could be asked the last time; empty: somebody answered.
  [[nodiscard]] const std::string& failure() const noexcept { return failure_; }
  // Nobody could be asked for longer than commands may wait.
  [[nodiscard]] bool known_down() const;
  [[nodiscard]] Redis::Stats stats() const;

 private:
  Task<void> learn(RedisClusterNodePtr first);
  Task<void> sweep_until_clean();
  [[nodiscard]] std::vector<RedisClusterNodePtr> whom_to_ask(const RedisClusterNodePtr& first);
  void give(std::uint16_t slot, const RedisClusterNodePtr& node);
  void apply(const std::vector<RedisSlotRange>& ranges);
  void learnt(std::string failure);
  // False: some are not idle yet.
  bool sweep();

  NginxLoop& loop_;
  std::shared_ptr<const RedisOptions> options_;
  std::map<RedisNode, RedisClusterNodePtr> nodes_;
  std::vector<RedisClusterNodePtr> slots_;
  std::vector<std::uint32_t> moves_;  // of each slot
  RedisWatchPtr watch_;

  bool learning_ = false;
  bool sweeping_ = false;
  std::uint64_t next_refresh_ = 0;
  std::uint64_t down_since_ = 0;  // 0: somebody answered
  std::string failure_;
  std::shared_ptr<Promised<bool>> refreshed_;
  std::uint64_t gone_commands_ = 0, gone_failures_ = 0;  // of nodes that went
};

}  // namespace oidc
