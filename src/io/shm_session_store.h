// SessionStore (include/oidc/io.h) on a zone: one machine, all workers. Its tasks never suspend.
//
// A full zone evicts: expired sessions first, then those that were not used for the longest time,
// which is counted and logged.
#pragma once

#include <vector>

#include "io/shm_zone.h"
#include "oidc/io.h"

namespace oidc {

class ShmSessionStore final : public SessionStore {
 public:
  static constexpr std::size_t kMaxEnvelope = 64 * 1024;

  // The zone outlives it.
  explicit ShmSessionStore(ShmZone& zone) : zone_(zone), buffer_(kMaxEnvelope) {}

  [[nodiscard]] Task<StoreRead> read(StoreKey key) override;
  [[nodiscard]] Task<StoreWrite> insert(StoreKey key, std::string envelope,
                                        Milliseconds ttl) override;
  [[nodiscard]] Task<StoreWrite> replace(StoreKey key, std::string expected_generation,
                                         std::string envelope, Milliseconds ttl) override;
  [[nodiscard]] Task<StoreWrite> touch(StoreKey key, Milliseconds ttl) override;
  [[nodiscard]] Task<StoreWrite> erase(StoreKey key) override;

  // Always answers. One lock, one copy into a buffer of this worker, no allocation.
  [[nodiscard]] std::optional<Immediate> read_now(const StoreKey& key) override;

  // For caches of opened sessions: where the last hit of read_now() was, and whether that is still
  // what is there. The latter takes no lock; it does not look at the time.
  [[nodiscard]] const ShmTable::Found& last_hit() const noexcept { return last_hit_; }
  [[nodiscard]] bool current(const ShmTable::Found& found) const noexcept {
    return zone_.table().current(found) && found.expires_at > ngx_current_msec;
  }

  [[nodiscard]] ShmTable::Stats stats();

 private:
  [[nodiscard]] StoreWrite put(const StoreKey& key, std::string_view envelope, Milliseconds ttl,
                               ShmTable::When when, std::string_view generation);
  void report_evictions();

  ShmZone& zone_;
  std::vector<char> buffer_;
  ShmTable::Found last_hit_;
  std::uint64_t evicted_ = 0;  // live sessions, by this worker, since the last report
  std::uint64_t reported_at_ = 0;
};

}  // namespace oidc
