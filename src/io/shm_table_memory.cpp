// ShmTable's memory: making and recognising it, blocks, and the bytes of records.
#include <algorithm>
#include <atomic>
#include <bit>
#include <cstring>
#include <utility>

#include "io/shm_table.h"
#include "io/shm_table_layout.h"

namespace oidc {

using namespace shm_layout;

namespace {

constexpr std::uint32_t kLeastBlocks = 8;

template <class T>
T* at_offset(std::span<std::byte> memory, std::size_t offset) noexcept {
  return reinterpret_cast<T*>(memory.data() + offset);
}

constexpr std::size_t aligned(std::size_t size) noexcept {
  return (size + kAlignment - 1) / kAlignment * kAlignment;
}

template <class Geometry>
std::optional<Geometry> measure(std::span<std::byte> memory, std::uint32_t block_size,
                                std::size_t header_size) noexcept {
  const auto address = std::bit_cast<std::uintptr_t>(memory.data());
  if (address % kAlignment != 0 || block_size < 128 || block_size % kAlignment != 0) {
    return std::nullopt;
  }
  Geometry result{};
  result.buckets = aligned(header_size);
  if (memory.size() < result.buckets + kAlignment) return std::nullopt;
  // Each block has its place in the heap and at most one bucket.
  const std::size_t room = memory.size() - result.buckets - kAlignment;
  const std::size_t count = room / (block_size + 2 * sizeof(std::uint32_t));
  if (count < kLeastBlocks) return std::nullopt;
  result.block_count = static_cast<std::uint32_t>(std::min<std::size_t>(count, 0x7fffffff));
  result.bucket_count = std::bit_floor(result.block_count);
  result.heap = result.buckets + result.bucket_count * sizeof(std::uint32_t);
  result.blocks = aligned(result.heap + result.block_count * sizeof(std::uint32_t));
  return result;
}

}  // namespace

ShmTable::ShmTable(std::span<std::byte> memory, Shape shape, const Geometry& geometry) noexcept
    : memory_(memory),
      shape_(shape),
      block_count_(geometry.block_count),
      bucket_count_(geometry.bucket_count),
      buckets_(at_offset<std::uint32_t>(memory, geometry.buckets)),
      heap_(at_offset<std::uint32_t>(memory, geometry.heap)),
      blocks_(memory.data() + geometry.blocks) {}

bool ShmTable::format(std::span<std::byte> memory, Shape shape, Seed seed) noexcept {
  static_assert(sizeof(Block) == Block::kEntryHead);
  static_assert(offsetof(Block, hash) == Block::kPlainHead);
  const auto geometry = measure<Geometry>(memory, shape.block_size, sizeof(Header));
  if (!geometry) return false;
  ShmTable table(memory, shape, *geometry);
  table.make_empty(0, seed);
  return true;
}

std::optional<ShmTable> ShmTable::attach(std::span<std::byte> memory, Shape shape) noexcept {
  const auto geometry = measure<Geometry>(memory, shape.block_size, sizeof(Header));
  if (!geometry) return std::nullopt;
  ShmTable table(memory, shape, *geometry);
  const Header& header = table.header();
  if (header.magic != kMagic || header.version != kVersion || header.kind != shape.kind ||
      header.size != memory.size() || header.block_size != shape.block_size) {
    return std::nullopt;
  }
  return table;
}

void ShmTable::make_empty(std::uint64_t resets, Seed seed) noexcept {
  std::fill_n(buckets_, bucket_count_, kNone);
  Header& fresh = header();
  fresh = Header{};
  fresh.version = kVersion;
  fresh.kind = shape_.kind;
  fresh.size = memory_.size();
  fresh.block_size = shape_.block_size;
  fresh.seed = seed;
  fresh.free_first = kNone;
  fresh.lru_first.fill(kNone);
  fresh.lru_last.fill(kNone);
  fresh.resets = resets;
  fresh.magic = kMagic;
}

void ShmTable::reset() noexcept {
  make_empty(header().resets + 1, header().seed);
  // What anybody remembers of a place is not current any more.
  for (std::uint32_t index = 0; index < block_count_; ++index) {
    std::atomic_ref(record_at(index).generation).fetch_add(1, std::memory_order_release);
  }
  took_reset_ = true;
}

bool ShmTable::took_reset() noexcept {
  return std::exchange(took_reset_, false);
}

ShmTable::Header& ShmTable::header() const noexcept {
  return *at_offset<Header>(memory_, 0);
}

ShmTable::Block& ShmTable::record_at(std::uint32_t index) const noexcept {
  return *reinterpret_cast<Block*>(blocks_ + std::size_t{index} * shape_.block_size);
}

ShmTable::Block& ShmTable::block(std::uint32_t index) const {
  if (index >= block_count_) throw Damage{};
  return record_at(index);
}

ShmTable::Block& ShmTable::entry(std::uint32_t index) const {
  Block& found = block(index);
  if (found.state < kEntry || found.state >= kEntry + kGroups) throw Damage{};
  return found;
}

std::uint8_t ShmTable::group_of(const Block& record) noexcept {
  return static_cast<std::uint8_t>(record.state - kEntry);
}

std::uint32_t ShmTable::blocks_for(std::size_t bytes) const noexcept {
  const std::size_t first = shape_.block_size - Block::kEntryHead;
  if (bytes <= first) return 1;
  const std::size_t each = shape_.block_size - Block::kPlainHead;
  const std::size_t count = 1 + (bytes - first + each - 1) / each;
  return static_cast<std::uint32_t>(std::min<std::size_t>(count, kNone));
}

std::uint32_t ShmTable::length_of(const Block& record) const noexcept {
  return blocks_for(std::size_t{record.key_size} + record.value_size);
}

std::uint32_t ShmTable::available() const noexcept {
  const Header& head = header();
  return head.free_count + (block_count_ - std::min(head.untouched, block_count_));
}

std::uint64_t ShmTable::room_for(std::size_t record_size) const noexcept {
  return block_count_ / blocks_for(record_size);
}

std::uint32_t ShmTable::take_block() {
  Header& head = header();
  std::uint32_t index = head.free_first;
  if (index != kNone) {
    const Block& taken = block(index);
    if (taken.state != kFree || head.free_count == 0) throw Damage{};
    head.free_first = taken.next;
    --head.free_count;
  } else {
    index = head.untouched++;
  }
  Block& taken = block(index);
  taken.next = kNone;
  taken.state = kContinuation;
  return index;
}

void ShmTable::free_block(std::uint32_t index) {
  Block& freed = block(index);
  if (freed.state == kFree) throw Damage{};
  freed.state = kFree;
  freed.next = header().free_first;
  header().free_first = index;
  ++header().free_count;
}

// Shortens or lengthens the chain that starts at `index` from `from` to `to` blocks (at least one).
void ShmTable::resize_chain(std::uint32_t index, std::uint32_t from, std::uint32_t to) {
  std::uint32_t last = index;
  for (std::uint32_t i = 1; i < std::min(from, to); ++i) last = block(last).next;
  for (std::uint32_t i = from; i < to; ++i) {
    const std::uint32_t added = take_block();
    block(last).next = added;
    last = added;
  }
  std::uint32_t rest = block(last).next;
  for (std::uint32_t i = to; i < from; ++i) {
    const std::uint32_t next = block(rest).next;
    free_block(rest);
    rest = next;
  }
  block(last).next = kNone;
}

template <class F>
void ShmTable::walk(std::uint32_t index, std::size_t from, std::size_t size, F&& body) const {
  std::size_t start = 0;
  std::size_t head = Block::kEntryHead;
  while (size > 0) {
    Block& here = head == Block::kEntryHead ? entry(index) : block(index);
    if (head == Block::kPlainHead && here.state != kContinuation) throw Damage{};
    const std::size_t capacity = shape_.block_size - head;
    if (from < start + capacity) {
      const std::size_t offset = from - start;
      const std::size_t length = std::min(size, capacity - offset);
      body(std::span(reinterpret_cast<char*>(&here) + head + offset, length));
      from += length;
      size -= length;
    }
    start += capacity;
    head = Block::kPlainHead;
    index = here.next;
  }
}

bool ShmTable::equals(std::uint32_t index, std::size_t from, std::string_view text) const {
  bool same = true;
  walk(index, from, text.size(), [&](std::span<const char> piece) noexcept {
    same = same && std::memcmp(piece.data(), text.data(), piece.size()) == 0;
    text.remove_prefix(piece.size());
  });
  return same;
}

void ShmTable::copy_out(std::uint32_t index, std::size_t from, std::span<char> out) const {
  walk(index, from, out.size(), [&](std::span<const char> piece) noexcept {
    std::memcpy(out.data(), piece.data(), piece.size());
    out = out.subspan(piece.size());
  });
}

void ShmTable::copy_in(std::uint32_t index, std::size_t from, std::string_view bytes) {
  walk(index, from, bytes.size(), [&](std::span<char> piece) noexcept {
    std::memcpy(piece.data(), bytes.data(), piece.size());
    bytes.remove_prefix(piece.size());
  });
}

}  // namespace oidc
