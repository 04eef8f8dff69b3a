// A Redis cluster: each command goes to the node that serves its key's slot, and follows the
// cluster's redirections.
//
// A command that was refused before anything was done (TRYAGAIN, CLUSTERDOWN, LOADING, READONLY),
// or whose node does not answer, is tried again at whoever serves the slot by then, for as long as a
// command may wait for a connection.
#pragma once

#include <memory>

#include "io/redis_patience.h"
#include "io/redis_topology.h"

namespace oidc {

class RedisCluster final : public Redis {
 public:
  RedisCluster(NginxLoop& loop, std::shared_ptr<const RedisOptions> options);

  [[nodiscard]] Stats stats() const override { return topology_.stats(); }
  void watch(RedisWatchPtr watch) override;
  [[nodiscard]] bool current(const CacheMark& mark) const noexcept override {
    return topology_.current(mark);
  }
  [[nodiscard]] bool valid(const CacheMark& mark) const noexcept override {
    return topology_.valid(mark);
  }

 private:
  struct Journey {
    explicit Journey(Milliseconds its_patience) : patience(its_patience) {}
    RedisClusterNodePtr node;   // where to go; null: to the slot's owner
    bool asking = false;        // the node has been told to expect the key
    unsigned redirections = 0;
    RedisPatience patience;
  };
  // if_moved: once more, if by then another node serves the slot.
  enum class Next : std::uint8_t { done, at_once, later, if_moved };

  [[nodiscard]] std::uint16_t slot_of(std::string_view key) const override;
  void submit(RedisCommandPtr command) override;
  void want_slot(std::uint16_t slot) override;
  Task<void> learn_for_ever();
  Task<void> carry(RedisCommandPtr command);
  [[nodiscard]] Next judge(Result<RedisReply>& reply, Journey& journey);
  [[nodiscard]] Next redirect(Result<RedisReply>& reply, Journey& journey);
  [[nodiscard]] Error nobody(std::uint16_t slot) const;

  NginxLoop& loop_;
  std::shared_ptr<const RedisOptions> options_;
  RedisTopology topology_;
};

}  // namespace oidc
