// A table of byte strings with expiry inside one piece of memory that processes share. Everything
// is an index into that piece and is checked before use, so no content whatever can lead outside.
//
// Records are chains of equal blocks: no fragmentation, and the room is known beforehand. Where
// there is no room, expired records go first; live ones, least recently used first, only if the
// writer allows it, and only those of group 0. Other groups keep what they have, and get no more
// than their share of the blocks.
//
// All calls but current() want the caller's lock around them. A writer that died in the middle, or
// damage found on the way, empties the table (see took_reset).
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "oidc/siphash.h"

namespace oidc {

class ShmTable {
 public:
  static constexpr std::size_t kGroups = 4;
  struct Shape {
    std::uint32_t kind;        // what is kept; memory of another kind is not attached to
    std::uint32_t block_size;  // a multiple of 64, at least 128
    std::array<std::uint8_t, kGroups> shares = {100, 100, 100, 100};  // percent of the blocks
  };
  using Seed = std::array<std::uint64_t, 2>;

  // Makes an empty table, whatever was there. False: the memory is too small.
  [[nodiscard]] static bool format(std::span<std::byte> memory, Shape shape, Seed seed) noexcept;
  // nullopt: this is no table of this version, shape and size.
  [[nodiscard]] static std::optional<ShmTable> attach(std::span<std::byte> memory,
                                                      Shape shape) noexcept;

  // A place and what was there: still true while current() says so. `expires_at` is in the
  // milliseconds of the caller's clock.
  struct Found {
    std::uint32_t slot = 0;
    std::uint64_t generation = 0;
    std::uint64_t expires_at = 0;
    std::size_t size = 0;  // of the value
  };

  // Copies as much of the value as fits into `out`.
  [[nodiscard]] std::optional<Found> read(std::string_view key, std::uint64_t now,
                                          std::span<char> out) noexcept;

  // over_share: there may be room, but not for this group.
  enum class Put : std::uint8_t { stored, exists, mismatch, full, too_large, over_share };
  enum class When : std::uint8_t { always, absent, prefix_equals };
  struct Write {
    std::string_view key;
    std::string_view value;
    std::uint64_t expires_at = 0;
    When when = When::always;
    std::string_view prefix = {};  // for prefix_equals: what the present value starts with
    bool evict_live = false;
    std::uint8_t group = 0;  // of a new record
  };
  struct PutResult {
    Put status = Put::full;
    std::uint32_t evicted = 0;  // live records that had to go
  };
  [[nodiscard]] PutResult put(const Write& write, std::uint64_t now) noexcept;

  // The record of a group that was not used for the longest time: as much of its key and value,
  // one after the other, as fits into `out`.
  struct Oldest {
    std::size_t key_size = 0;
    std::size_t value_size = 0;
  };
  [[nodiscard]] std::optional<Oldest> oldest(std::uint8_t group, std::span<char> out) noexcept;

  // False: no live record of this name, or one that expires at `spare_until` or before, which is left
  // alone. For current() a life made shorter is a change.
  bool touch(std::string_view key, std::uint64_t expires_at, std::uint64_t now,
             std::uint64_t spare_until = 0) noexcept;
  bool erase(std::string_view key, std::uint64_t now) noexcept;
  // The same, counted as evicted.
  bool evict(std::string_view key, std::uint64_t now) noexcept;
  bool erase_if_equal(std::string_view key, std::string_view value, std::uint64_t now) noexcept;

  // Without the lock: one acquire load. False once the record was replaced, erased, evicted, or its
  // life made shorter.
  // Expiry is the caller's to compare.
  [[nodiscard]] bool current(const Found& found) const noexcept;

  struct Stats {
    std::uint64_t entries = 0;  // expired ones that were not met yet included
    std::uint64_t blocks = 0;
    std::uint64_t blocks_free = 0;
    std::uint64_t evicted = 0;  // live records, since the table was made
    std::uint64_t refused = 0;  // writes that found no room
    std::uint64_t resets = 0;
  };
  [[nodiscard]] Stats stats() const noexcept;
  // True once after this process found the table damaged and emptied it.
  [[nodiscard]] bool took_reset() noexcept;
  // How many records of that many bytes, key included, fit.
  [[nodiscard]] std::uint64_t room_for(std::size_t record_size) const noexcept;

 private:
  struct Header;
  struct Block;
  struct Geometry;
  struct Damage {};

  ShmTable(std::span<std::byte> memory, Shape shape, const Geometry& geometry) noexcept;

  template <class F>
  auto observe(F&& body) noexcept -> decltype(body());
  template <class F>
  auto change(F&& body) noexcept -> decltype(body());
  void make_empty(std::uint64_t resets, Seed seed) noexcept;
  void reset() noexcept;

  [[nodiscard]] Header& header() const noexcept;
  // Unchecked; the other two throw Damage.
  [[nodiscard]] Block& record_at(std::uint32_t index) const noexcept;
  [[nodiscard]] Block& block(std::uint32_t index) const;
  [[nodiscard]] Block& entry(std::uint32_t index) const;
  [[nodiscard]] std::uint32_t& bucket(std::uint64_t hash) const noexcept;
  [[nodiscard]] std::uint32_t& heap(std::uint32_t position) const;
  [[nodiscard]] std::uint32_t blocks_for(std::size_t bytes) const noexcept;
  [[nodiscard]] std::uint32_t length_of(const Block& record) const noexcept;  // in blocks
  [[nodiscard]] std::uint32_t available() const noexcept;
  [[nodiscard]] std::uint64_t hash_of(std::string_view key) const noexcept;

  [[nodiscard]] std::uint32_t find(std::string_view key, std::uint64_t hash) const;
  // An expired record is removed on the way.
  [[nodiscard]] std::uint32_t find_live(std::string_view key, std::uint64_t now);
  // Calls body(piece) for the parts of the record's bytes in [from, from + size).
  template <class F>
  void walk(std::uint32_t index, std::size_t from, std::size_t size, F&& body) const;
  [[nodiscard]] bool equals(std::uint32_t index, std::size_t from, std::string_view text) const;
  void copy_out(std::uint32_t index, std::size_t from, std::span<char> out) const;
  void copy_in(std::uint32_t index, std::size_t from, std::string_view bytes);

  [[nodiscard]] std::uint32_t take_block();
  void free_block(std::uint32_t index);
  void resize_chain(std::uint32_t index, std::uint32_t from, std::uint32_t to);
  [[nodiscard]] std::uint32_t insert(std::uint64_t hash, std::uint8_t group, std::uint64_t now);
  void store(std::uint32_t index, std::uint32_t held, std::uint32_t wanted, const Write& write);
  void remove(std::uint32_t index);
  [[nodiscard]] static std::uint8_t group_of(const Block& record) noexcept;
  [[nodiscard]] bool is_within_share(std::uint8_t group, std::uint32_t blocks, std::uint64_t now);
  [[nodiscard]] bool make_room(std::uint32_t blocks, std::uint32_t keep, bool evict_live,
                               std::uint64_t now, std::uint32_t& evicted);
  void drop_expired(std::uint32_t at_most, std::uint64_t now);

  void lru_link(std::uint32_t index);
  void lru_unlink(std::uint32_t index);
  [[nodiscard]] bool use_is_due(std::uint32_t index, std::uint64_t now) const noexcept;
  void use(std::uint32_t index, std::uint64_t now);

  void heap_set(std::uint32_t position, std::uint32_t index);
  void heap_up(std::uint32_t position);
  void heap_down(std::uint32_t position);
  void heap_insert(std::uint32_t index);
  void heap_remove(std::uint32_t index);
  void set_expiry(std::uint32_t index, std::uint64_t expires_at);

  std::span<std::byte> memory_;
  Shape shape_{};
  std::uint32_t block_count_ = 0;
  std::uint32_t bucket_count_ = 0;
  std::uint32_t* buckets_ = nullptr;
  std::uint32_t* heap_ = nullptr;
  std::byte* blocks_ = nullptr;
  bool took_reset_ = false;
};

}  // namespace oidc
