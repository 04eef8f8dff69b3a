#include "io/shm_counters.h"

#include <new>

namespace oidc {
namespace {

constexpr std::size_t kRows = 64;
constexpr std::size_t kLine = 64;  // bytes of a cache line
const char kTag = 0;

std::size_t row_size(std::size_t count) noexcept {
  return (count * sizeof(std::uint64_t) + kLine - 1) / kLine * kLine;
}

}  // namespace

ShmCounters* ShmCounters::declare(ngx_conf_t* cf, std::string_view name,
                                  std::size_t count) noexcept {
  ngx_str_t zone_name = to_ngx_str(name);
  zone_name.data = ngx_pstrdup(cf->pool, &zone_name);
  if (zone_name.data == nullptr) return nullptr;
  // nginx's own pages, and what it takes to describe them.
  const std::size_t size = kRows * row_size(count) + 16 * ngx_pagesize;
  ngx_shm_zone_t* zone = ngx_shared_memory_add(cf, &zone_name, size, const_cast<char*>(&kTag));
  void* memory = ngx_palloc(cf->pool, sizeof(ShmCounters));
  if (zone == nullptr || memory == nullptr) return nullptr;
  static_assert(std::is_trivially_destructible_v<ShmCounters>);  // the pool just drops it
  auto* made = new (memory) ShmCounters(*zone, count);
  zone->data = made;
  zone->init = on_init;
  return made;
}

// `data` is the old cycle's ShmCounters when nginx kept the memory: equal name, size and tag.
ngx_int_t ShmCounters::on_init(ngx_shm_zone_t* zone, void* data) noexcept {
  const auto& self = *static_cast<ShmCounters*>(zone->data);
  if (data != nullptr && static_cast<ShmCounters*>(data)->count_ == self.count_) return NGX_OK;
  ngx_slab_pool_t& pool = self.pool();
  if (data == nullptr) pool.data = ngx_slab_alloc(&pool, kRows * row_size(self.count_) + kLine);
  if (pool.data == nullptr) return NGX_ERROR;
  ngx_memzero(pool.data, kRows * row_size(self.count_) + kLine);
  return NGX_OK;
}

ngx_slab_pool_t& ShmCounters::pool() const noexcept {
  return *reinterpret_cast<ngx_slab_pool_t*>(zone_.shm.addr);
}

ShmCounters::Counter* ShmCounters::row(std::size_t worker) const noexcept {
  auto address = reinterpret_cast<std::uintptr_t>(pool().data);
  address = (address + kLine - 1) / kLine * kLine + worker % kRows * row_size(count_);
  return reinterpret_cast<Counter*>(address);
}

void ShmCounters::add(std::size_t counter) noexcept {
  row(ngx_worker)[counter].fetch_add(1, std::memory_order_relaxed);
}

std::uint64_t ShmCounters::sum(std::size_t counter) const noexcept {
  std::uint64_t all = 0;
  for (std::size_t worker = 0; worker < kRows; ++worker) {
    all += row(worker)[counter].load(std::memory_order_relaxed);
  }
  return all;
}

}  // namespace oidc
