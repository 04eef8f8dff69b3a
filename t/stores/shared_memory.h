// Memory that child processes share, and short forms of ShmTable's calls.
#pragma once

#include <gtest/gtest.h>
#include <sys/mman.h>

#include <string>

#include "io/shm_table.h"

namespace oidc {

inline constexpr ShmTable::Shape kShape{.kind = 7, .block_size = 256};

class Memory {
 public:
  explicit Memory(std::size_t size) : size_(size) {
    base_ = mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    EXPECT_NE(base_, MAP_FAILED);
  }
  ~Memory() { munmap(base_, size_); }
  Memory(const Memory&) = delete;
  Memory& operator=(const Memory&) = delete;
  [[nodiscard]] std::span<std::byte> span() const {
    return {static_cast<std::byte*>(base_), size_};
  }

 private:
  std::size_t size_;
  void* base_;
};

inline ShmTable make(const Memory& memory) {
  EXPECT_TRUE(ShmTable::format(memory.span(), kShape, {1, 2}));
  auto table = ShmTable::attach(memory.span(), kShape);
  EXPECT_TRUE(table);
  return *table;
}

inline std::optional<std::string> get(ShmTable& table, std::string_view key, std::uint64_t now) {
  static std::string out(100'000, '?');
  const auto found = table.read(key, now, out);
  if (!found) return std::nullopt;
  return out.substr(0, found->size);
}

inline ShmTable::Put put(ShmTable& table, std::string_view key, std::string_view value,
                         std::uint64_t expires_at, std::uint64_t now, bool evict = false) {
  return table.put({.key = key, .value = value, .expires_at = expires_at, .evict_live = evict}, now)
      .status;
}

}  // namespace oidc
