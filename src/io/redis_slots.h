// The slots of a Redis cluster: which one a key has, who serves which, and what redirections say.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "io/redis_codec.h"
#include "io/redis_node.h"

namespace oidc {

inline constexpr std::size_t kRedisSlots = 16384;

// CRC16 of the key, or of what stands in its first braces.
[[nodiscard]] std::uint16_t redis_slot(std::string_view key) noexcept;

// A hash tag of that slot, without its braces.
[[nodiscard]] std::string redis_tag_of(std::uint16_t slot);

struct RedisSlotRange {
  std::uint16_t first = 0, last = 0;
  RedisNode master;
};

// From the reply to CLUSTER SLOTS of `answered`, whose host stands for an empty one. nullopt: this is
// no such reply. Ranges whose master has no known name are left out.
[[nodiscard]] std::optional<std::vector<RedisSlotRange>> redis_slot_ranges(
    const RedisReply& reply, const RedisNode& answered);

// "MOVED 3999 127.0.0.1:6381" or "ASK ..." of `answered`.
struct RedisRedirection {
  std::uint16_t slot = 0;
  RedisNode node;
};
[[nodiscard]] std::optional<RedisRedirection> redis_redirection(std::string_view error,
                                                                const RedisNode& answered);

}  // namespace oidc
