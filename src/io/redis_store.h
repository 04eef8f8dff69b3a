// SessionStore (include/oidc/io.h) in Redis: one string per session, named PREFIX:KEY, with Redis's
// own expiry. Compare-and-set is a script on that one key, so it works in a cluster too.
#pragma once

#include <string>

#include "io/redis_answers.h"
#include "oidc/io.h"

namespace oidc {

class RedisStore final : public SessionStore {
 public:
  static constexpr std::size_t kMaxEnvelope = 64 * 1024;

  // The client outlives it.
  RedisStore(RedisClient& client, std::string prefix);

  [[nodiscard]] Task<StoreRead> read(StoreKey key) override;
  [[nodiscard]] Task<StoreWrite> insert(StoreKey key, std::string envelope,
                                        Milliseconds ttl) override;
  [[nodiscard]] Task<StoreWrite> replace(StoreKey key, std::string expected_generation,
                                         std::string envelope, Milliseconds ttl) override;
  [[nodiscard]] Task<StoreWrite> touch(StoreKey key, Milliseconds ttl) override;
  [[nodiscard]] Task<StoreWrite> erase(StoreKey key) override;

 private:
  [[nodiscard]] std::string name_of(const StoreKey& key) const;

  RedisClient& client_;
  std::string prefix_;
  RedisScript replace_script_;
  RedisScript touch_script_;
};

}  // namespace oidc
