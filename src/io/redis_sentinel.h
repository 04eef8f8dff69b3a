// The master of a set of Redis servers that Sentinels watch. Sentinels are asked where it is before
// each attempt to connect, and a server whose ROLE is not master is not used. While there are
// commands, or sessions in a cache, they are asked again twice a second: a master that was deposed
// goes on answering until somebody tells it. What was read from another master than the present one
// is worth nothing.
//
// A command that reached a replica, or a server that still loads its data, was not executed: it is
// tried again for as long as a command may wait for a connection.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "io/redis_client.h"

namespace oidc {

class RedisSentinel final : public Redis, private RedisLocator {
 public:
  RedisSentinel(NginxLoop& loop, std::shared_ptr<const RedisOptions> options);
  ~RedisSentinel() override;

  [[nodiscard]] Stats stats() const override { return master_.stats(); }
  void watch(RedisWatchPtr watch) override;
  [[nodiscard]] bool current(const CacheMark& mark) const noexcept override {
    return valid(mark) && master_.current(mark);
  }
  [[nodiscard]] bool valid(const CacheMark& mark) const noexcept override {
    return mark.place == masters_;
  }

 private:
  void submit(RedisCommandPtr command) override;
  Task<void> carry(RedisCommandPtr command);
  void want_slot(std::uint16_t slot) override { master_.want_slot(slot); }
  void look();
  Task<void> look_again();
  Task<void> look_for_ever();

  [[nodiscard]] Task<Result<RedisNode>> locate() override;
  void located(bool usable) override;
  [[nodiscard]] bool names(const std::string& server) const override {
    return server == known_master_;
  }
  [[nodiscard]] Result<RedisNode> master_of(const Result<RedisReply>& reply,
                                            const RedisNode& asked) const;
  void follow(const RedisNode& master);

  NginxLoop& loop_;
  std::shared_ptr<const RedisOptions> options_;
  std::vector<std::unique_ptr<RedisClient>> sentinels_;  // as in the options
  std::size_t first_ = 0;                                // whom to ask first: who knew last
  bool looking_ = false;
  std::uint64_t next_look_ = 0;
  std::string known_master_;
  std::uint64_t masters_ = 0;                            // that were known so far
  RedisClient master_;
};

}  // namespace oidc
