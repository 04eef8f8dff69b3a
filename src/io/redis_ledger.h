// Ledger (include/oidc/io.h) in Redis: strings, and sorted sets whose scores are the members' ends.
#pragma once

#include <string>

#include "io/redis_answers.h"
#include "oidc/io.h"

namespace oidc {

class RedisLedger final : public Ledger {
 public:
  // Redis outlives it.
  RedisLedger(Redis& redis, std::string prefix);

  [[nodiscard]] Task<LedgerRead> read(std::string name) override;
  [[nodiscard]] Task<StoreWrite> write(std::string name, std::string value,
                                       Milliseconds ttl) override;
  [[nodiscard]] Task<StoreWrite> add(std::string name, std::string value,
                                     Milliseconds ttl) override;
  [[nodiscard]] Task<StoreWrite> erase_if_equal(std::string name, std::string value) override;
  [[nodiscard]] Task<StoreWrite> join(std::string set, std::string member,
                                      Milliseconds ttl) override;
  [[nodiscard]] Task<StoreWrite> leave(std::string set, std::string member) override;
  [[nodiscard]] Task<LedgerMembers> members(std::string set) override;

 private:
  [[nodiscard]] std::string key_of(const std::string& name) const;

  Redis& redis_;
  std::string prefix_;
  RedisScript erase_script_;
  RedisScript join_script_;
  RedisScript members_script_;
};

}  // namespace oidc
