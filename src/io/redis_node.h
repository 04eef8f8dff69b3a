// Where a server of Redis is.
#pragma once

#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace oidc {

struct RedisNode {
  std::string host;  // name or address, without brackets
  std::uint16_t port = 0;

  // For logs: "127.0.0.1:6379", "[::1]:6379".
  [[nodiscard]] std::string text() const {
    const bool ipv6 = host.find(':') != std::string::npos;
    return (ipv6 ? "[" + host + "]" : host) + ":" + std::to_string(port);
  }
  friend auto operator<=>(const RedisNode&, const RedisNode&) = default;
};

// A name or an address, or nothing; "?" and what would spoil a log are none.
[[nodiscard]] bool is_redis_host(std::string_view host) noexcept;
// As another server names it.
[[nodiscard]] std::optional<RedisNode> redis_node(std::string_view host, std::string_view port);

}  // namespace oidc
