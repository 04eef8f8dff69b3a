// How the memory of an ShmTable is laid out: header, buckets, heap of expiry times, blocks. Change
// kVersion with anything here.
#pragma once

#include <cstddef>
#include <cstdint>

#include "io/shm_table.h"

namespace oidc {

namespace shm_layout {

inline constexpr std::uint64_t kMagic = 0x6f6964632d73686dULL;
inline constexpr std::uint32_t kVersion = 3;
inline constexpr std::uint32_t kNone = 0xffffffff;
inline constexpr std::size_t kAlignment = 64;

// The first block of a record of group g has the state kEntry + g.
enum BlockState : std::uint32_t { kFree = 1, kContinuation = 2, kEntry = 3 };

}  // namespace shm_layout

struct ShmTable::Header {
  std::uint64_t magic;
  std::uint32_t version;
  std::uint32_t kind;
  std::uint64_t size;
  std::uint32_t block_size;
  std::uint32_t changing;  // 1 while a lock holder writes: found at 1, that process died there
  Seed seed;
  std::uint32_t untouched;   // blocks from here on were never used
  std::uint32_t free_first;  // chain of blocks that were
  std::uint32_t free_count;
  std::uint32_t entries;    // also the size of the heap
  std::array<std::uint32_t, kGroups> lru_first;  // most recently used
  std::array<std::uint32_t, kGroups> lru_last;
  std::array<std::uint32_t, kGroups> taken;  // blocks
  std::uint64_t evicted;
  std::uint64_t refused;
  std::uint64_t resets;
};

// The first block of a record has the fields from `hash` on, later ones have bytes there. The
// generation outlives records: it only ever grows while the memory lives.
struct ShmTable::Block {
  std::uint64_t generation;
  std::uint32_t next;
  std::uint32_t state;

  std::uint64_t hash;
  std::uint64_t expires_at;
  std::uint64_t used_at;
  std::uint32_t key_size;
  std::uint32_t value_size;
  std::uint32_t bucket_next;
  std::uint32_t lru_previous;
  std::uint32_t lru_next;
  std::uint32_t heap_position;

  static constexpr std::size_t kPlainHead = 16;
  static constexpr std::size_t kEntryHead = 64;
};

struct ShmTable::Geometry {
  std::size_t buckets;  // offsets
  std::size_t heap;
  std::size_t blocks;
  std::uint32_t bucket_count;
  std::uint32_t block_count;
};

}  // namespace oidc
