// ShmTable's two orders: by use (a list) and by expiry (a binary heap).
#include "io/shm_table.h"
#include "io/shm_table_layout.h"

namespace oidc {

using namespace shm_layout;

namespace {

// Reading again within this time does not move a record: the list's cache lines stay shared.
constexpr std::uint64_t kUseGrain = 1000;  // ms

}  // namespace

void ShmTable::lru_link(std::uint32_t index) {
  Block& linked = entry(index);
  const std::uint8_t group = group_of(linked);
  std::uint32_t& first = header().lru_first[group];
  linked.lru_previous = kNone;
  linked.lru_next = first;
  if (first != kNone) entry(first).lru_previous = index;
  first = index;
  if (header().lru_last[group] == kNone) header().lru_last[group] = index;
}

void ShmTable::lru_unlink(std::uint32_t index) {
  const Block& unlinked = entry(index);
  const std::uint8_t group = group_of(unlinked);
  if (unlinked.lru_previous != kNone) {
    entry(unlinked.lru_previous).lru_next = unlinked.lru_next;
  } else {
    header().lru_first[group] = unlinked.lru_next;
  }
  if (unlinked.lru_next != kNone) {
    entry(unlinked.lru_next).lru_previous = unlinked.lru_previous;
  } else {
    header().lru_last[group] = unlinked.lru_previous;
  }
}

bool ShmTable::use_is_due(std::uint32_t index, std::uint64_t now) const noexcept {
  return record_at(index).used_at + kUseGrain < now;
}

void ShmTable::use(std::uint32_t index, std::uint64_t now) {
  if (!use_is_due(index, now)) return;
  entry(index).used_at = now;
  lru_unlink(index);
  lru_link(index);
}

std::uint32_t& ShmTable::heap(std::uint32_t position) const {
  if (position >= header().entries || position >= block_count_) throw Damage{};
  return heap_[position];
}

void ShmTable::heap_set(std::uint32_t position, std::uint32_t index) {
  heap(position) = index;
  entry(index).heap_position = position;
}

void ShmTable::heap_up(std::uint32_t position) {
  const std::uint32_t index = heap(position);
  const std::uint64_t expires_at = entry(index).expires_at;
  while (position > 0) {
    const std::uint32_t parent = (position - 1) / 2;
    if (entry(heap(parent)).expires_at <= expires_at) break;
    heap_set(position, heap(parent));
    position = parent;
  }
  heap_set(position, index);
}

void ShmTable::heap_down(std::uint32_t position) {
  const std::uint32_t count = header().entries;
  const std::uint32_t index = heap(position);
  const std::uint64_t expires_at = entry(index).expires_at;
  for (;;) {
    std::uint32_t child = 2 * position + 1;
    if (child >= count) break;
    if (child + 1 < count && entry(heap(child + 1)).expires_at < entry(heap(child)).expires_at) {
      ++child;
    }
    if (entry(heap(child)).expires_at >= expires_at) break;
    heap_set(position, heap(child));
    position = child;
  }
  heap_set(position, index);
}

void ShmTable::heap_insert(std::uint32_t index) {
  const std::uint32_t position = header().entries++;
  heap_set(position, index);
  heap_up(position);
}

void ShmTable::heap_remove(std::uint32_t index) {
  const std::uint32_t position = entry(index).heap_position;
  if (heap(position) != index) throw Damage{};
  const std::uint32_t last = heap(header().entries - 1);
  --header().entries;
  if (last == index) return;
  heap_set(position, last);
  heap_up(position);
  heap_down(entry(last).heap_position);
}

void ShmTable::set_expiry(std::uint32_t index, std::uint64_t expires_at) {
  Block& changed = entry(index);
  changed.expires_at = expires_at;
  heap_up(changed.heap_position);
  heap_down(changed.heap_position);
}

}  // namespace oidc
