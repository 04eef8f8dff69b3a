#include "io/shm_zone.h"

#include <new>

#include "oidc/crypto.h"

namespace oidc {

const ShmUse kSessionZone{{.kind = 1, .block_size = 512, .shares = {100, 50, 25, 10}},
                          "sessions",
                          "the users of the sessions that were kept in it log in again",
                          "oidc_session_zone should make it larger",
                          3072};
const ShmUse kSharedZone{{.kind = 2, .block_size = 256},
                         "entries",
                         "discovery documents and key sets are fetched again",
                         "its size is fixed; many providers, or many logouts during an outage?",
                         512};
const ShmUse kStatesZone{{.kind = 4, .block_size = 128},
                         "used states",
                         "a state that was used before the reload may be used once more",
                         "logins are refused; oidc_authorization_zone should make it larger",
                         51};
const ShmUse kCookieZone{{.kind = 5, .block_size = 256},
                         "entries",
                         "sessions in cookies that were logged out count again until they end",
                         "logouts fail; its oidc_session_zone should be larger",
                         160};
const ShmUse kSecretZone{{.kind = 3, .block_size = 128},
                         "secrets",
                         "sessions sealed with the secret that it kept do not open any more",
                         "its size is fixed",
                         64};

namespace {

ShmTable::Seed random_seed() {
  std::array<unsigned char, sizeof(ShmTable::Seed)> bytes;
  random_bytes(bytes);
  return std::bit_cast<ShmTable::Seed>(bytes);
}

// The zone of that name in the cycle that is about to be replaced; nullptr at the first start.
const ngx_shm_zone_t* predecessor(std::string_view name) noexcept {
  const auto* cycle = const_cast<const ngx_cycle_t*>(ngx_cycle);  // nginx says volatile
  for (const ngx_list_part_t* part = &cycle->shared_memory.part; part != nullptr;
       part = part->next) {
    const auto* zones = static_cast<const ngx_shm_zone_t*>(part->elts);
    for (ngx_uint_t i = 0; i < part->nelts; ++i) {
      if (to_view(zones[i].shm.name) == name) return &zones[i];
    }
  }
  return nullptr;
}

}  // namespace

ShmZone* ShmZone::declare(ngx_conf_t* cf, std::string_view name, std::size_t size,
                          const ShmUse& use) noexcept {
  ngx_str_t zone_name = to_ngx_str(name);
  if (size < least_size()) {
    ngx_conf_log_error(NGX_LOG_EMERG, cf, 0, "zone \"%V\" is too small: %uz bytes at least",
                       &zone_name, least_size());
    return nullptr;
  }
  zone_name.data = ngx_pstrdup(cf->pool, &zone_name);
  if (zone_name.data == nullptr) return nullptr;
  void* tag = const_cast<ShmUse*>(&use);
  ngx_shm_zone_t* zone = ngx_shared_memory_add(cf, &zone_name, size, tag);
  if (zone == nullptr) return nullptr;
  if (zone->data != nullptr) {
    ngx_conf_log_error(NGX_LOG_EMERG, cf, 0, "zone \"%V\" is declared twice", &zone_name);
    return nullptr;
  }
  void* memory = ngx_palloc(cf->pool, sizeof(ShmZone));
  if (memory == nullptr) return nullptr;
  static_assert(std::is_trivially_destructible_v<ShmZone>);  // the pool just drops it
  auto* made = new (memory) ShmZone(*zone, use);
  zone->data = made;
  zone->init = on_init;
  return made;
}

// `data` is the old cycle's ShmZone when nginx kept the memory.
ngx_int_t ShmZone::on_init(ngx_shm_zone_t* zone, void* data) noexcept {
  return guard<ngx_int_t>(NGX_ERROR, [&] {
    auto& self = *static_cast<ShmZone*>(zone->data);
    return data != nullptr ? self.keep() : self.start_empty();
  });
}

ngx_slab_pool_t& ShmZone::pool() const noexcept {
  return *reinterpret_cast<ngx_slab_pool_t*>(zone_.shm.addr);
}

// All of the pool's pages. The pool itself is wanted for its mutex only, which nginx unlocks when
// the process that held it dies.
std::span<std::byte> ShmZone::memory() const noexcept {
  const auto pages = static_cast<std::size_t>(pool().last - pool().pages);
  return {reinterpret_cast<std::byte*>(pool().start), pages << ngx_pagesize_shift};
}

ngx_int_t ShmZone::start_empty() {
  const std::span<std::byte> all = memory();
  if (ngx_slab_alloc(&pool(), all.size()) != all.data()) return NGX_ERROR;
  log_loss();
  return format();
}

ngx_int_t ShmZone::keep() {
  table_ = ShmTable::attach(memory(), use_.shape);
  if (table_) return NGX_OK;
  ngx_log_error(NGX_LOG_ERR, zone_.shm.log, 0,
                "oidc: zone \"%V\" has another layout and starts empty: %s", &zone_.shm.name,
                use_.cost);
  return format();
}

ngx_int_t ShmZone::format() {
  if (!ShmTable::format(memory(), use_.shape, random_seed())) {
    ngx_log_error(NGX_LOG_EMERG, zone_.shm.log, 0, "oidc: zone \"%V\" is too small",
                  &zone_.shm.name);
    return NGX_ERROR;
  }
  table_ = ShmTable::attach(memory(), use_.shape);
  if (!ngx_test_config) {
    ngx_log_error(NGX_LOG_NOTICE, zone_.shm.log, 0,
                  "oidc: zone \"%V\": %uz bytes, room for about %uL %s of %uz bytes",
                  &zone_.shm.name, zone_.shm.size, table_->room_for(use_.record_size), use_.records,
                  use_.record_size);
  }
  return NGX_OK;
}

void ShmZone::log_loss() const noexcept {
  const ngx_shm_zone_t* old = predecessor(name());
  if (old == nullptr) return;
  if (old->tag != zone_.tag) {
    ngx_log_error(NGX_LOG_WARN, zone_.shm.log, 0,
                  "oidc: zone \"%V\" starts empty because the module was replaced: %s",
                  &zone_.shm.name, use_.cost);
    return;
  }
  ngx_log_error(NGX_LOG_WARN, zone_.shm.log, 0,
                "oidc: zone \"%V\" starts empty because its size was changed from %uz to %uz "
                "bytes: %s",
                &zone_.shm.name, old->shm.size, zone_.shm.size, use_.cost);
}

void ShmZone::log_reset() const noexcept {
  ngx_log_error(
      NGX_LOG_CRIT, ngx_cycle->log, 0,
      "oidc: zone \"%V\" was damaged, or a worker died while it wrote; it was emptied: %s",
      &zone_.shm.name, use_.cost);
}

}  // namespace oidc
