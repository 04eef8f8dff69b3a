#include "io/shm_table.h"

#include <algorithm>
#include <atomic>

#include "io/shm_table_layout.h"

namespace oidc {

using namespace shm_layout;

// What is found damaged is emptied, so that the next call finds a sound table.
template <class F>
auto ShmTable::observe(F&& body) noexcept -> decltype(body()) {
  if (header().changing != 0) reset();
  try {
    return body();
  } catch (const Damage&) {
    reset();
    return {};
  }
}

// All writing happens in here: the mark tells the next holder of the lock that this one died.
template <class F>
auto ShmTable::change(F&& body) noexcept -> decltype(body()) {
  return observe([&] {
    const std::atomic_ref changing(header().changing);
    changing.store(1, std::memory_order_relaxed);
    std::atomic_signal_fence(std::memory_order_seq_cst);
    auto result = body();
    std::atomic_signal_fence(std::memory_order_seq_cst);
    changing.store(0, std::memory_order_relaxed);
    return result;
  });
}

// Writes only where the order of use changes: a reader that is killed leaves no mark.
std::optional<ShmTable::Found> ShmTable::read(std::string_view key, std::uint64_t now,
                                              std::span<char> out) noexcept {
  const auto found = observe([&]() -> std::optional<Found> {
    const std::uint32_t index = find(key, hash_of(key));
    if (index == kNone) return std::nullopt;
    const Block& record = entry(index);
    if (record.expires_at <= now) return std::nullopt;
    copy_out(index, record.key_size,
             out.first(std::min<std::size_t>(out.size(), record.value_size)));
    return Found{index, record.generation, record.expires_at, record.value_size};
  });
  if (found && use_is_due(found->slot, now)) {
    change([&] {
      use(found->slot, now);
      return true;
    });
  }
  return found;
}

ShmTable::PutResult ShmTable::put(const Write& write, std::uint64_t now) noexcept {
  return change([&]() -> PutResult {
    const std::size_t size = write.key.size() + write.value.size();
    const std::uint32_t wanted = blocks_for(size);
    if (size >= kNone || wanted > block_count_) return {Put::too_large, 0};

    drop_expired(2, now);
    std::uint32_t index = find_live(write.key, now);
    if (write.when == When::absent && index != kNone) return {Put::exists, 0};
    if (write.when == When::prefix_equals) {
      if (index == kNone) return {Put::mismatch, 0};
      const Block& present = entry(index);
      if (present.value_size < write.prefix.size() ||
          !equals(index, present.key_size, write.prefix)) {
        return {Put::mismatch, 0};
      }
    }

    // A compare-and-set changes the value, and makes no life longer.
    Write bounded = write;
    if (write.when == When::prefix_equals) {
      bounded.expires_at = std::min(write.expires_at, entry(index).expires_at);
    }
    const std::uint32_t held = index == kNone ? 0 : length_of(entry(index));
    PutResult result;
    const std::uint8_t group = index == kNone ? write.group : group_of(entry(index));
    if (wanted > held && !is_within_share(group, wanted - held, now)) {
      ++header().refused;
      result.status = Put::over_share;
      return result;
    }
    if (wanted > held && !make_room(wanted - held, index, write.evict_live, now, result.evicted)) {
      ++header().refused;
      return result;
    }
    if (index == kNone) index = insert(hash_of(write.key), group, now);
    store(index, std::max<std::uint32_t>(held, 1), wanted, bounded);
    use(index, now);
    result.status = Put::stored;
    return result;
  });
}

std::optional<ShmTable::Oldest> ShmTable::oldest(std::uint8_t group,
                                                 std::span<char> out) noexcept {
  return observe([&]() -> std::optional<Oldest> {
    const std::uint32_t index = header().lru_last[group];
    if (index == kNone) return std::nullopt;
    const Block& record = entry(index);
    const std::size_t size = std::size_t{record.key_size} + record.value_size;
    copy_out(index, 0, out.first(std::min(out.size(), size)));
    return Oldest{record.key_size, record.value_size};
  });
}

bool ShmTable::touch(std::string_view key, std::uint64_t expires_at, std::uint64_t now,
                     std::uint64_t spare_until) noexcept {
  return change([&] {
    const std::uint32_t index = find_live(key, now);
    if (index == kNone) return false;
    Block& touched = entry(index);
    use(index, now);
    if (touched.expires_at <= spare_until) return false;
    // Whoever keeps a copy learns of an end that comes sooner, and need not of a later one.
    if (expires_at < touched.expires_at) {
      std::atomic_ref(touched.generation).fetch_add(1, std::memory_order_release);
    }
    set_expiry(index, expires_at);
    return true;
  });
}

bool ShmTable::erase(std::string_view key, std::uint64_t now) noexcept {
  return change([&] {
    const std::uint32_t index = find_live(key, now);
    if (index == kNone) return false;
    remove(index);
    return true;
  });
}

bool ShmTable::evict(std::string_view key, std::uint64_t now) noexcept {
  if (!erase(key, now)) return false;
  ++header().evicted;
  return true;
}

bool ShmTable::erase_if_equal(std::string_view key, std::string_view value,
                              std::uint64_t now) noexcept {
  return change([&] {
    const std::uint32_t index = find_live(key, now);
    if (index == kNone) return false;
    const Block& present = entry(index);
    if (present.value_size != value.size() || !equals(index, present.key_size, value)) return false;
    remove(index);
    return true;
  });
}

bool ShmTable::current(const Found& found) const noexcept {
  if (found.slot >= block_count_) return false;
  const std::atomic_ref generation(record_at(found.slot).generation);
  return generation.load(std::memory_order_acquire) == found.generation;
}

ShmTable::Stats ShmTable::stats() const noexcept {
  const Header& head = header();
  return {.entries = head.entries,
          .blocks = block_count_,
          .blocks_free = available(),
          .evicted = head.evicted,
          .refused = head.refused,
          .resets = head.resets};
}

std::uint64_t ShmTable::hash_of(std::string_view key) const noexcept {
  return siphash13(header().seed, key);
}

std::uint32_t& ShmTable::bucket(std::uint64_t hash) const noexcept {
  return buckets_[hash & (bucket_count_ - 1)];
}

std::uint32_t ShmTable::find(std::string_view key, std::uint64_t hash) const {
  std::uint32_t steps = 0;
  for (std::uint32_t index = bucket(hash); index != kNone;) {
    if (steps++ > block_count_) throw Damage{};
    const Block& found = entry(index);
    if (found.hash == hash && found.key_size == key.size() && equals(index, 0, key)) return index;
    index = found.bucket_next;
  }
  return kNone;
}

std::uint32_t ShmTable::find_live(std::string_view key, std::uint64_t now) {
  const std::uint32_t index = find(key, hash_of(key));
  if (index == kNone || entry(index).expires_at > now) return index;
  remove(index);
  return kNone;
}

// The new record has no bytes yet: store() gives it its key, value and expiry.
std::uint32_t ShmTable::insert(std::uint64_t hash, std::uint8_t group, std::uint64_t now) {
  const std::uint32_t index = take_block();
  Block& made = block(index);
  made.state = kEntry + group;
  ++header().taken[group];
  made.hash = hash;
  made.expires_at = ~std::uint64_t{0};
  made.used_at = now;
  made.key_size = 0;
  made.value_size = 0;
  made.bucket_next = bucket(hash);
  bucket(hash) = index;
  lru_link(index);
  heap_insert(index);
  return index;
}

void ShmTable::store(std::uint32_t index, std::uint32_t held, std::uint32_t wanted,
                     const Write& write) {
  resize_chain(index, held, wanted);
  Block& stored = entry(index);
  header().taken[group_of(stored)] += wanted - held;
  std::atomic_ref(stored.generation).fetch_add(1, std::memory_order_release);
  stored.key_size = static_cast<std::uint32_t>(write.key.size());
  stored.value_size = static_cast<std::uint32_t>(write.value.size());
  copy_in(index, 0, write.key);
  copy_in(index, write.key.size(), write.value);
  set_expiry(index, write.expires_at);
}

void ShmTable::remove(std::uint32_t index) {
  Block& removed = entry(index);
  std::atomic_ref(removed.generation).fetch_add(1, std::memory_order_release);

  std::uint32_t* link = &bucket(removed.hash);
  std::uint32_t steps = 0;
  while (*link != index) {
    if (steps++ > block_count_) throw Damage{};
    link = &entry(*link).bucket_next;
  }
  *link = removed.bucket_next;
  lru_unlink(index);
  heap_remove(index);
  header().taken[group_of(removed)] -= length_of(removed);
  resize_chain(index, length_of(removed), 1);
  free_block(index);
}

void ShmTable::drop_expired(std::uint32_t at_most, std::uint64_t now) {
  while (at_most-- > 0 && header().entries > 0) {
    const std::uint32_t first = heap(0);
    if (entry(first).expires_at > now) return;
    remove(first);
  }
}

bool ShmTable::is_within_share(std::uint8_t group, std::uint32_t blocks, std::uint64_t now) {
  if (shape_.shares[group] == 100) return true;  // make_room() sees to it
  const std::uint64_t most = std::uint64_t{block_count_} * shape_.shares[group] / 100;
  while (std::uint64_t{header().taken[group]} + blocks > most) {
    if (header().entries == 0 || entry(heap(0)).expires_at > now) return false;
    drop_expired(1, now);
  }
  return true;
}

// `keep` is the live record that is about to grow, or kNone.
bool ShmTable::make_room(std::uint32_t blocks, std::uint32_t keep, bool evict_live,
                         std::uint64_t now, std::uint32_t& evicted) {
  while (available() < blocks) {
    const std::uint32_t before = available();
    drop_expired(1, now);
    if (available() > before) continue;
    if (!evict_live) return false;
    std::uint32_t victim = header().lru_last[0];
    if (victim == keep && victim != kNone) victim = entry(victim).lru_previous;
    if (victim == kNone) return false;
    remove(victim);
    ++evicted;
    ++header().evicted;
  }
  return true;
}

}  // namespace oidc
