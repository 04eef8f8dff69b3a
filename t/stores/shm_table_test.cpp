// ShmTable against its contract and a model, and with damaged memory.
#include <cstring>
#include <map>
#include <random>

#include "shared_memory.h"

namespace oidc {
namespace {

TEST(ShmTable, RefusesMemoryThatIsTooSmallOrCrooked) {
  alignas(64) std::array<std::byte, 8192> memory{};
  EXPECT_FALSE(ShmTable::format(std::span(memory).first(1024), kShape, {}));
  EXPECT_FALSE(ShmTable::format(std::span(memory).subspan(1), kShape, {}));
  EXPECT_FALSE(ShmTable::format(memory, {.kind = 1, .block_size = 100}, {}));
  EXPECT_FALSE(ShmTable::format({}, kShape, {}));
  EXPECT_TRUE(ShmTable::format(memory, kShape, {}));
}

TEST(ShmTable, AttachesToItsOwnLayoutOnly) {
  Memory memory(65536);
  EXPECT_FALSE(ShmTable::attach(memory.span(), kShape));
  ASSERT_TRUE(ShmTable::format(memory.span(), kShape, {1, 2}));
  EXPECT_TRUE(ShmTable::attach(memory.span(), kShape));
  EXPECT_FALSE(ShmTable::attach(memory.span(), {.kind = 8, .block_size = 256}));
  EXPECT_FALSE(ShmTable::attach(memory.span(), {.kind = 7, .block_size = 512}));
  EXPECT_FALSE(ShmTable::attach(memory.span().first(65536 - 256), kShape));
  memory.span()[8] ^= std::byte{1};  // the version
  EXPECT_FALSE(ShmTable::attach(memory.span(), kShape));
}

TEST(ShmTable, KeepsBytesOfEveryLength) {
  Memory memory(1 << 20);
  ShmTable table = make(memory);
  for (std::size_t size : {0, 1, 100, 188, 189, 190, 429, 430, 4096, 65536}) {
    std::string value(size, '\0');
    for (std::size_t i = 0; i < size; ++i) value[i] = static_cast<char>(i * 31 + size);
    ASSERT_EQ(put(table, "key", value, 100, 1), ShmTable::Put::stored) << size;
    EXPECT_EQ(get(table, "key", 2), value) << size;
  }
  const std::string long_key(5000, 'k');
  ASSERT_EQ(put(table, long_key, "v", 100, 1), ShmTable::Put::stored);
  EXPECT_EQ(get(table, long_key, 2), "v");
  EXPECT_EQ(get(table, long_key + "k", 2), std::nullopt);
  EXPECT_EQ(get(table, std::string(4999, 'k') + "l", 2), std::nullopt);

  std::string little(3, '?');  // a reader with less room gets the beginning and the size
  const auto found = table.read("key", 2, little);
  ASSERT_TRUE(found);
  EXPECT_EQ(found->size, 65536U);
  EXPECT_EQ(little, get(table, "key", 2)->substr(0, 3));
}

TEST(ShmTable, ExpiryIsExact) {
  Memory memory(65536);
  ShmTable table = make(memory);
  ASSERT_EQ(put(table, "a", "1", 100, 0), ShmTable::Put::stored);
  EXPECT_EQ(get(table, "a", 99), "1");
  EXPECT_TRUE(table.touch("a", 200, 99));
  EXPECT_EQ(get(table, "a", 199), "1");
  EXPECT_EQ(get(table, "a", 200), std::nullopt);
  EXPECT_FALSE(table.touch("a", 300, 200));
  EXPECT_EQ(table.stats().entries, 0U);
  EXPECT_EQ(table.stats().blocks_free, table.stats().blocks);
}

TEST(ShmTable, ConditionalWrites) {
  Memory memory(65536);
  ShmTable table = make(memory);
  const auto if_absent = [&](std::string_view value, std::uint64_t now) {
    return table
        .put({.key = "k", .value = value, .expires_at = now + 10, .when = ShmTable::When::absent},
             now)
        .status;
  };
  EXPECT_EQ(if_absent("one", 0), ShmTable::Put::stored);
  EXPECT_EQ(if_absent("two", 9), ShmTable::Put::exists);
  EXPECT_EQ(get(table, "k", 9), "one");
  EXPECT_EQ(if_absent("two", 10), ShmTable::Put::stored);

  const auto replace = [&](std::string_view key, std::string_view prefix, std::string_view value) {
    return table
        .put({.key = key,
              .value = value,
              .expires_at = 100,
              .when = ShmTable::When::prefix_equals,
              .prefix = prefix},
             11)
        .status;
  };
  ASSERT_EQ(put(table, "s", "generation1-payload", 100, 11), ShmTable::Put::stored);
  EXPECT_EQ(replace("s", "generation2", "x"), ShmTable::Put::mismatch);
  EXPECT_EQ(replace("s", "generation1-payload-and-more", "x"), ShmTable::Put::mismatch);
  EXPECT_EQ(replace("absent", "generation1", "x"), ShmTable::Put::mismatch);
  EXPECT_EQ(get(table, "absent", 11), std::nullopt);
  EXPECT_EQ(replace("s", "generation1", "generation2-new"), ShmTable::Put::stored);
  EXPECT_EQ(get(table, "s", 12), "generation2-new");

  EXPECT_FALSE(table.erase_if_equal("s", "generation2", 12));
  EXPECT_FALSE(table.erase_if_equal("s", "generation2-new-and-more", 12));
  EXPECT_TRUE(table.erase_if_equal("s", "generation2-new", 12));
  EXPECT_FALSE(table.erase("s", 12));
}

TEST(ShmTable, FullWithoutEvictionForgetsNothing) {
  Memory memory(65536);
  ShmTable table = make(memory);
  std::size_t stored = 0;
  while (table
             .put({.key = "state" + std::to_string(stored),
                   .value = "1",
                   .expires_at = 1000 + stored,
                   .when = ShmTable::When::absent},
                  1)
             .status == ShmTable::Put::stored) {
    ++stored;
  }
  EXPECT_GT(stored, 200U);
  EXPECT_EQ(table.stats().refused, 1U);
  EXPECT_EQ(put(table, "another", "1", 5000, 999), ShmTable::Put::full);
  for (std::size_t i = 0; i < stored; ++i) {
    EXPECT_EQ(get(table, "state" + std::to_string(i), 2), "1");
  }
  // An entry that needs no more room may be overwritten, one that does is left as it was.
  EXPECT_EQ(put(table, "state5", "2", 5000, 999), ShmTable::Put::stored);
  EXPECT_EQ(put(table, "state5", std::string(300, 'x'), 5000, 999), ShmTable::Put::full);
  EXPECT_EQ(get(table, "state5", 999), "2");
  EXPECT_EQ(put(table, "another", "1", 5000, 1000), ShmTable::Put::stored);  // one had expired
  EXPECT_EQ(put(table, std::string(70000, 'n'), "1", 5000, 999), ShmTable::Put::too_large);
}

TEST(ShmTable, EvictsExpiredThenLeastRecentlyUsed) {
  Memory memory(65536);
  ShmTable table = make(memory);
  const std::string value(3000, 'v');
  std::uint64_t now = 0;
  int count = 0;
  for (;; ++count) {
    now += 2000;
    const auto result = table.put({.key = "s" + std::to_string(count),
                                   .value = value,
                                   .expires_at = count == 7 ? now + 100'000 : 1'000'000'000,
                                   .evict_live = true},
                                  now);
    ASSERT_EQ(result.status, ShmTable::Put::stored);
    if (result.evicted > 0) break;
    ASSERT_LT(count, 100);
  }
  ASSERT_GT(count, 10);
  EXPECT_EQ(get(table, "s0", now), std::nullopt);
  now += 2000;
  EXPECT_EQ(get(table, "s1", now), value);  // used: not the next one to go
  now += 200'000;                           // s7 has expired: it goes first
  auto result =
      table.put({.key = "n1", .value = value, .expires_at = ~0ULL, .evict_live = true}, now);
  EXPECT_EQ(result.evicted, 0U);
  EXPECT_EQ(get(table, "s7", now), std::nullopt);
  result = table.put({.key = "n2", .value = value, .expires_at = ~0ULL, .evict_live = true}, now);
  EXPECT_EQ(result.evicted, 1U);
  EXPECT_EQ(get(table, "s2", now), std::nullopt);
  EXPECT_EQ(get(table, "s1", now), value);
  // A record that grows evicts others, never itself.
  result = table.put(
      {.key = "s3", .value = std::string(30'000, 'g'), .expires_at = ~0ULL, .evict_live = true},
      now);
  EXPECT_EQ(result.status, ShmTable::Put::stored);
  EXPECT_EQ(get(table, "s3", now), std::string(30'000, 'g'));
}

TEST(ShmTable, PlacesStayCurrentUntilTheRecordChanges) {
  Memory memory(65536);
  ShmTable table = make(memory);
  std::string out(1000, '\0');
  const auto place = [&](std::string_view key) { return table.read(key, 1, out).value(); };
  ASSERT_EQ(put(table, "a", "1", 100, 1), ShmTable::Put::stored);
  auto found = place("a");
  EXPECT_TRUE(table.current(found));
  EXPECT_TRUE(table.touch("a", 200, 1));
  EXPECT_TRUE(table.current(found));
  ASSERT_EQ(put(table, "a", "2", 100, 1), ShmTable::Put::stored);
  EXPECT_FALSE(table.current(found));
  found = place("a");
  EXPECT_TRUE(table.erase("a", 1));
  EXPECT_FALSE(table.current(found));
  ASSERT_EQ(put(table, "a", "1", 100, 1), ShmTable::Put::stored);  // the same block again
  EXPECT_FALSE(table.current(found));
  EXPECT_FALSE(table.current({.slot = 1'000'000, .generation = 0, .expires_at = 0, .size = 0}));
}

TEST(ShmTable, BehavesLikeItsModel) {
  Memory memory(256 * 1024);
  ShmTable table = make(memory);
  struct Entry {
    std::string value;
    std::uint64_t expires_at;
  };
  std::map<std::string, Entry> model;
  std::mt19937 random(42);
  const auto pick = [&](std::uint32_t below) { return random() % below; };
  std::uint64_t now = 1;
  int full = 0;
  for (int step = 0; step < 100'000; ++step) {
    now += pick(3);
    const std::string key = "key" + std::to_string(pick(500));
    auto known = model.find(key);
    if (known != model.end() && known->second.expires_at <= now) {
      model.erase(known);
      known = model.end();
    }
    const std::uint64_t expires_at = now + 1 + pick(9000);
    switch (pick(5)) {
      case 0: {
        const std::string value(pick(1200), static_cast<char>('a' + pick(26)));
        const auto status = put(table, key, value, expires_at, now);
        if (status == ShmTable::Put::stored) {
          model[key] = {value, expires_at};
        } else {
          ASSERT_EQ(status, ShmTable::Put::full);
          ++full;
        }
        break;
      }
      case 1:
        ASSERT_EQ(table.touch(key, expires_at, now), known != model.end());
        if (known != model.end()) known->second.expires_at = expires_at;
        break;
      case 2:
        if (pick(4) != 0) break;
        ASSERT_EQ(table.erase(key, now), known != model.end());
        if (known != model.end()) model.erase(known);
        break;
      default:
        ASSERT_EQ(get(table, key, now),
                  known != model.end() ? std::optional(known->second.value) : std::nullopt);
    }
    ASSERT_FALSE(table.took_reset());
  }
  EXPECT_GT(full, 0);
  for (int i = 0; i < 500; ++i) table.erase("key" + std::to_string(i), now);
  EXPECT_EQ(table.stats().entries, 0U);
  EXPECT_EQ(table.stats().blocks_free, table.stats().blocks);
}

TEST(ShmTable, AWriterThatDiedEmptiesTheTable) {
  Memory memory(65536);
  ShmTable table = make(memory);
  std::string out(100, '\0');
  ASSERT_EQ(put(table, "a", "1", 100, 1), ShmTable::Put::stored);
  const auto found = table.read("a", 1, out).value();
  constexpr std::size_t kChanging = 8 + 4 + 4 + 8 + 4;  // its offset in the header
  memory.span()[kChanging] = std::byte{1};
  EXPECT_EQ(get(table, "a", 1), std::nullopt);
  EXPECT_TRUE(table.took_reset());
  EXPECT_FALSE(table.took_reset());
  EXPECT_EQ(table.stats().resets, 1U);
  EXPECT_FALSE(table.current(found));
  EXPECT_EQ(put(table, "a", "2", 100, 1), ShmTable::Put::stored);
  EXPECT_EQ(get(table, "a", 1), "2");
}

// ---- groups ----

class ShmTableGroups : public testing::Test {
 protected:
  static constexpr ShmTable::Shape kGrouped{
      .kind = 7, .block_size = 256, .shares = {100, 50, 25, 100}};
  ShmTableGroups() { EXPECT_TRUE(ShmTable::format(memory_.span(), kGrouped, {1, 2})); }

  ShmTable::PutResult put(const std::string& key, std::uint8_t group, std::uint64_t expires_at,
                          std::uint64_t now = 1) {
    return table().put({.key = key,
                        .value = std::string(100, 'v'),
                        .expires_at = expires_at,
                        .evict_live = true,
                        .group = group},
                       now);
  }
  // How many fit without an eviction.
  std::uint64_t fill(std::uint8_t group, std::uint64_t expires_at) {
    std::uint64_t count = 0;
    for (;; ++count) {
      const auto result = put(std::to_string(group).append(":").append(std::to_string(count)),
                              group, expires_at);
      if (result.status != ShmTable::Put::stored || result.evicted > 0) return count;
    }
  }
  ShmTable& table() {
    if (!table_) table_ = ShmTable::attach(memory_.span(), kGrouped);
    return *table_;
  }

  Memory memory_{65536};
  std::optional<ShmTable> table_;
};

TEST_F(ShmTableGroups, TheFirstMakesRoomForTheOthersAlone) {
  const std::uint64_t blocks = table().stats().blocks;
  EXPECT_EQ(fill(2, 100), blocks / 4);
  EXPECT_EQ(put("2:more", 2, 100).status, ShmTable::Put::over_share);
  const std::uint64_t first = fill(0, 100);
  EXPECT_EQ(first, blocks - blocks / 4);
  // The table is full: each further record costs one of the first group.
  for (std::uint64_t i = 0; i < blocks / 2; ++i) {
    const auto result = put("1:" + std::to_string(i), 1, 100);
    ASSERT_EQ(result.status, ShmTable::Put::stored);
    EXPECT_EQ(result.evicted, 1U);
  }
  EXPECT_EQ(put("1:more", 1, 100).status, ShmTable::Put::over_share);
  for (std::uint64_t i = 0; i < blocks; ++i) ASSERT_EQ(put("0:x" + std::to_string(i), 0, 100).evicted, 1U);
  for (std::uint64_t i = 0; i < blocks / 4; ++i) {
    EXPECT_TRUE(get(table(), "2:" + std::to_string(i), 2)) << i;
  }
  EXPECT_TRUE(get(table(), "1:0", 2));
}

TEST_F(ShmTableGroups, WhatExpiredCountsForNoShare) {
  const std::uint64_t most = fill(2, 100);
  EXPECT_EQ(put("later", 2, 300, 99).status, ShmTable::Put::over_share);
  EXPECT_EQ(put("later", 2, 300, 100).status, ShmTable::Put::stored);
  for (std::uint64_t i = 1; i < most; ++i) {
    ASSERT_EQ(put("later " + std::to_string(i), 2, 300, 100).status, ShmTable::Put::stored);
  }
  EXPECT_EQ(put("more", 2, 300, 100).status, ShmTable::Put::over_share);
  // Growing takes of the share too, shrinking and erasing give back.
  EXPECT_TRUE(table().erase("later", 101));
  EXPECT_EQ(put("more", 2, 300, 101).status, ShmTable::Put::stored);
  EXPECT_EQ(table().put({.key = "more", .value = std::string(600, 'g'), .expires_at = 300}, 101).status,
            ShmTable::Put::over_share);
  EXPECT_TRUE(get(table(), "more", 102));
}

TEST_F(ShmTableGroups, TheOldestOfEach) {
  std::string out(64, '?');
  EXPECT_FALSE(table().oldest(1, out));
  put("session", 0, 100'000, 1);
  put("a", 1, 100'000, 2);
  put("b", 1, 100'000, 3);
  const auto oldest = table().oldest(1, out);
  ASSERT_TRUE(oldest);
  EXPECT_EQ(out.substr(0, 4), "avvv");
  EXPECT_EQ(oldest->key_size, 1U);
  EXPECT_EQ(oldest->value_size, 100U);
  EXPECT_TRUE(get(table(), "a", 5000));  // used
  EXPECT_TRUE(table().oldest(1, out));
  EXPECT_EQ(out[0], 'b');
}

TEST(ShmTable, ATouchLeavesAloneWhatIsAboutToEnd) {
  Memory memory(65536);
  ShmTable table = make(memory);
  ASSERT_EQ(put(table, "a", "1", 100, 0), ShmTable::Put::stored);
  EXPECT_FALSE(table.touch("a", 500, 50, 100));
  EXPECT_EQ(get(table, "a", 100), std::nullopt);
  ASSERT_EQ(put(table, "a", "1", 200, 100), ShmTable::Put::stored);
  EXPECT_TRUE(table.touch("a", 500, 150, 199));
  EXPECT_EQ(get(table, "a", 499), "1");
}

TEST(ShmTable, DamageLeadsNowhere) {
  Memory memory(32768);
  std::mt19937 random(7);
  int resets = 0;
  for (int round = 0; round < 2000; ++round) {
    ShmTable table = make(memory);
    for (int i = 0; i < 60; ++i) {
      static_cast<void>(put(table, "key" + std::to_string(i), std::string(random() % 600, 'x'),
                            100 + i, 1, true));
    }
    const std::uint32_t wild = random() % 2 == 0 ? 0xfffffff0U + random() % 16 : random() % 200;
    for (int hit = 0; hit < 6; ++hit) {
      const std::size_t words = memory.span().size() / 4;
      std::memcpy(&memory.span()[4 * (random() % words)], &wild, 4);
    }
    for (int i = 0; i < 200; ++i) {
      const std::string key = "key" + std::to_string(random() % 80);
      switch (random() % 4) {
        case 0:
          static_cast<void>(put(table, key, std::string(random() % 900, 'y'), 500, 50, true));
          break;
        case 1:
          static_cast<void>(table.erase(key, 50));
          break;
        case 2:
          static_cast<void>(table.touch(key, 300 + i, 50));
          break;
        default:
          static_cast<void>(get(table, key, 50));
      }
      resets += table.took_reset() ? 1 : 0;
    }
  }
  EXPECT_GT(resets, 100);
}

}  // namespace
}  // namespace oidc
