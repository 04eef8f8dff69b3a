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

  // Redis outlives it.
  RedisStore(Redis& redis, std::string prefix);
  // Reads are reported to the cache from now on, and changes: our own, and those that Redis tells of.
  // It outlives the last call. Once, before the first command.
  void report_to(SessionCache& cache);

  [[nodiscard]] Task<StoreRead> read(StoreKey key) override;
  [[nodiscard]] Task<StoreWrite> insert(StoreKey key, std::string envelope,
                                        Milliseconds ttl) override;
  [[nodiscard]] Task<StoreWrite> replace(StoreKey key, std::string expected_generation,
                                         std::string envelope, Milliseconds ttl) override;
  [[nodiscard]] Task<StoreWrite> touch(StoreKey key, Milliseconds ttl) override;
  [[nodiscard]] Task<StoreWrite> erase(StoreKey key) override;

 private:
  class OwnWrite;
  [[nodiscard]] Task<StoreRead> read_and_report(StoreKey key);
  [[nodiscard]] std::string name_of(const StoreKey& key) const;

  Redis& redis_;
  std::string prefix_;
  SessionCache* cache_ = nullptr;
  RedisScript replace_script_;
  RedisScript touch_script_;
};

}  // namespace oidc
