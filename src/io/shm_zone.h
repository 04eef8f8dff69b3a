// A shared memory zone that holds one ShmTable. Declared while the configuration is read; lives in
// its cycle's pool; usable from the moment nginx has set up the cycle's zones.
//
// The content outlives a reload when name, size, use and layout stay the same; else the zone starts
// empty and the log says what that costs.
#pragma once

#include <optional>
#include <string_view>
#include <utility>

#include "io/nginx.h"
#include "io/shm_table.h"

namespace oidc {

// What a zone is for. Its address is the tag by which nginx tells uses apart: use the constants.
struct ShmUse {
  ShmTable::Shape shape;
  const char* records;      // plural, for the log
  const char* cost;         // of starting empty, for the log
  const char* remedy;       // for a zone that is full, for the log
  std::size_t record_size;  // of a usual record, for the capacity in the log
};
extern const ShmUse kSessionZone;
// Its groups. Sessions make room for all of them; sets of the index go with their sessions; entries
// (logouts, locks, identifiers that were seen) stay until they expire.
inline constexpr std::uint8_t kSessionGroup = 0, kIndexGroup = 1, kEntryGroup = 2,
                              kRenewalGroup = 3;
extern const ShmUse kSharedZone;
extern const ShmUse kStatesZone;
// What is known of sessions in cookies: it forgets nothing before its time.
extern const ShmUse kCookieZone;
// For the session secret that is made at start: it must outlive changes of the other zones.
extern const ShmUse kSecretZone;

class ShmZone {
 public:
  // nginx gives a zone a mutex and allocates in pages: this is the least that makes sense.
  [[nodiscard]] static std::size_t least_size() noexcept { return 8 * ngx_pagesize; }

  // nullptr after an error was logged: too small, or declared before.
  [[nodiscard]] static ShmZone* declare(ngx_conf_t* cf, std::string_view name, std::size_t size,
                                        const ShmUse& use) noexcept;

  ShmZone(ngx_shm_zone_t& zone, const ShmUse& use) noexcept : zone_(zone), use_(use) {}
  ShmZone(const ShmZone&) = delete;
  ShmZone& operator=(const ShmZone&) = delete;

  [[nodiscard]] std::string_view name() const noexcept { return to_view(zone_.shm.name); }
  [[nodiscard]] std::size_t size() const noexcept { return zone_.shm.size; }
  [[nodiscard]] const char* remedy() const noexcept { return use_.remedy; }

  // Calls body(ShmTable&) under the zone's lock: copies of memory only.
  template <class Body>
  auto locked(Body&& body) noexcept {
    ngx_shmtx_lock(&pool().mutex);
    auto result = body(*table_);
    ngx_shmtx_unlock(&pool().mutex);
    if (table_->took_reset()) log_reset();
    return result;
  }
  // For what needs no lock.
  [[nodiscard]] const ShmTable& table() const noexcept { return *table_; }

 private:
  static ngx_int_t on_init(ngx_shm_zone_t* zone, void* data) noexcept;
  [[nodiscard]] ngx_int_t start_empty();
  [[nodiscard]] ngx_int_t keep();
  [[nodiscard]] ngx_slab_pool_t& pool() const noexcept;
  [[nodiscard]] ngx_int_t format();
  [[nodiscard]] std::span<std::byte> memory() const noexcept;
  void log_loss() const noexcept;
  void log_reset() const noexcept;

  ngx_shm_zone_t& zone_;
  const ShmUse& use_;
  std::optional<ShmTable> table_;
};

}  // namespace oidc
