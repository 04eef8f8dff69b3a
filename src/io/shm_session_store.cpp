#include "io/shm_session_store.h"

#include <algorithm>

#include "io/shm_dictionary.h"

namespace oidc {

namespace {

StoreWrite hit_or_miss(bool hit) {
  StoreWrite result;
  result.status = hit ? StoreStatus::hit : StoreStatus::miss;
  return result;
}

}  // namespace

std::optional<SessionStore::Immediate> ShmSessionStore::read_now(const StoreKey& key) {
  const auto found = zone_.locked(
      [&](ShmTable& table) { return table.read(key.view(), ngx_current_msec, buffer_); });
  if (!found) return Immediate{StoreStatus::miss, {}};
  if (found->size > buffer_.size()) return Immediate{StoreStatus::error, {}};
  last_hit_ = {found->slot, found->generation};
  if (cache_ != nullptr) {
    const std::string_view generation(buffer_.data(), std::min(found->size, kGenerationSize));
    cache_->confirm(key, generation, last_hit_, ngx_current_msec, found->expires_at);
  }
  return Immediate{StoreStatus::hit, {buffer_.data(), found->size}};
}

Task<StoreRead> ShmSessionStore::read(StoreKey key) {
  const std::optional<Immediate> now = read_now(key);
  StoreRead result;
  result.status = now->status;
  result.envelope = now->envelope;
  if (now->status == StoreStatus::error) result.detail = "the record is longer than allowed";
  co_return result;
}

Task<StoreWrite> ShmSessionStore::insert(StoreKey key, std::string envelope, Milliseconds ttl) {
  co_return put(key, envelope, ttl, ShmTable::When::always, {});
}

Task<StoreWrite> ShmSessionStore::replace(StoreKey key, std::string expected_generation,
                                          std::string envelope, Milliseconds ttl) {
  if (expected_generation.size() != kGenerationSize) {
    StoreWrite result;
    result.detail = "the generation to replace has a wrong size";
    co_return result;
  }
  co_return put(key, envelope, ttl, ShmTable::When::prefix_equals, expected_generation);
}

Task<StoreWrite> ShmSessionStore::touch(StoreKey key, Milliseconds ttl) {
  const std::uint64_t deadline = shm_deadline(ttl);
  const std::uint64_t spare_until = shm_deadline(grace_of(ttl));
  co_return hit_or_miss(zone_.locked([&](ShmTable& table) {
    return table.touch(key.view(), deadline, ngx_current_msec, spare_until);
  }));
}

Task<StoreWrite> ShmSessionStore::erase(StoreKey key) {
  zone_.locked([&](ShmTable& table) { return table.erase(key.view(), ngx_current_msec); });
  co_return hit_or_miss(true);
}

StoreWrite ShmSessionStore::put(const StoreKey& key, std::string_view envelope, Milliseconds ttl,
                                ShmTable::When when, std::string_view generation) {
  StoreWrite result;
  if (envelope.size() > kMaxEnvelope) {
    result.detail = "the record is longer than allowed";
    return result;
  }
  const ShmTable::Write write{.key = key.view(),
                              .value = envelope,
                              .expires_at = shm_deadline(ttl),
                              .when = when,
                              .prefix = generation,
                              .evict_live = true};
  const auto put =
      zone_.locked([&](ShmTable& table) { return table.put(write, ngx_current_msec); });
  evictions_.add_sessions(put.evicted);
  switch (put.status) {
    case ShmTable::Put::stored:
      result.status = StoreStatus::hit;
      break;
    case ShmTable::Put::mismatch:
      result.status = StoreStatus::miss;
      break;
    case ShmTable::Put::exists:
    case ShmTable::Put::full:
    case ShmTable::Put::too_large:
    case ShmTable::Put::over_share:
      result.full = true;
      result.detail = "the zone has no room for the record";
      break;
  }
  return result;
}

ShmTable::Stats ShmSessionStore::stats() {
  return zone_.locked([](ShmTable& table) { return table.stats(); });
}

}  // namespace oidc
