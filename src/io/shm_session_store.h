// SessionStore (include/oidc/io.h) on a zone: one machine, all workers. Its tasks never suspend.
//
// A full zone evicts: expired sessions first, then those that were not used for the longest time,
// which is counted and logged.
#pragma once

#include <vector>

#include "io/shm_evictions.h"
#include "io/shm_zone.h"
#include "oidc/io.h"
#include "oidc/session_cache.h"

namespace oidc {

class ShmSessionStore final : public SessionStore, public Coherence {
 public:
  static constexpr std::size_t kMaxEnvelope = 64 * 1024;

  // The zone outlives it.
  explicit ShmSessionStore(ShmZone& zone) : zone_(zone), buffer_(kMaxEnvelope) {}
  // Hits are reported to the cache from now on. It outlives the last call.
  void report_to(SessionCache& cache) noexcept { cache_ = &cache; }

  [[nodiscard]] Task<StoreRead> read(StoreKey key) override;
  [[nodiscard]] Task<StoreWrite> insert(StoreKey key, std::string envelope,
                                        Milliseconds ttl) override;
  [[nodiscard]] Task<StoreWrite> replace(StoreKey key, std::string expected_generation,
                                         std::string envelope, Milliseconds ttl) override;
  [[nodiscard]] Task<StoreWrite> touch(StoreKey key, Milliseconds ttl) override;
  [[nodiscard]] Task<StoreWrite> erase(StoreKey key) override;

  // Always answers. One lock, one copy into a buffer of this worker, no allocation.
  [[nodiscard]] std::optional<Immediate> read_now(const StoreKey& key) override;

  // Where the last hit of read_now() was, and whether that is still what is there: one load, no
  // lock. The latter does not look at the time.
  [[nodiscard]] const CacheMark& last_hit() const noexcept { return last_hit_; }
  [[nodiscard]] bool current(const CacheMark& mark) const noexcept override {
    return zone_.table().current({static_cast<std::uint32_t>(mark.place), mark.version});
  }

  [[nodiscard]] ShmTable::Stats stats();

 private:
  [[nodiscard]] StoreWrite put(const StoreKey& key, std::string_view envelope, Milliseconds ttl,
                               ShmTable::When when, std::string_view generation);

  ShmZone& zone_;
  std::vector<char> buffer_;
  SessionCache* cache_ = nullptr;
  CacheMark last_hit_;
  ShmEvictions evictions_{zone_};
};

}  // namespace oidc
