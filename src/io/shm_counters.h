// Counters of all workers, in a shared memory zone of their own. Each worker has a row, so that no two
// write to one cache line (beyond 64 workers, two share a row). They outlive a reload.
#pragma once

#include <atomic>
#include <cstdint>
#include <string_view>

#include "io/nginx.h"

namespace oidc {

class ShmCounters {
 public:
  // nullptr after an error was logged. Lives in the cycle's pool; usable from the moment nginx has set
  // up the cycle's zones.
  [[nodiscard]] static ShmCounters* declare(ngx_conf_t* cf, std::string_view name,
                                            std::size_t count) noexcept;

  ShmCounters(ngx_shm_zone_t& zone, std::size_t count) noexcept : zone_(zone), count_(count) {}
  ShmCounters(const ShmCounters&) = delete;
  ShmCounters& operator=(const ShmCounters&) = delete;

  // `counter` < count.
  void add(std::size_t counter) noexcept;
  [[nodiscard]] std::uint64_t sum(std::size_t counter) const noexcept;

 private:
  using Counter = std::atomic<std::uint64_t>;
  static_assert(Counter::is_always_lock_free);

  static ngx_int_t on_init(ngx_shm_zone_t* zone, void* data) noexcept;
  [[nodiscard]] ngx_slab_pool_t& pool() const noexcept;
  [[nodiscard]] Counter* row(std::size_t worker) const noexcept;

  ngx_shm_zone_t& zone_;
  std::size_t count_;
};

}  // namespace oidc
