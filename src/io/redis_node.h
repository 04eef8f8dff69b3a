// Where a server of Redis is.
#pragma once

#include <compare>
#include <cstdint>
#include <string>

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

}  // namespace oidc
