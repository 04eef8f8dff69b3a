#include "io/redis_node.h"

#include <algorithm>
#include <charconv>

namespace oidc {

bool is_redis_host(std::string_view host) noexcept {
  return std::all_of(host.begin(), host.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
           c == '-' || c == '_' || c == ':';
  });
}

std::optional<RedisNode> redis_node(std::string_view host, std::string_view port) {
  RedisNode node{std::string(host), 0};
  const char* end = port.data() + port.size();
  const auto [stop, error] = std::from_chars(port.data(), end, node.port);
  if (error != std::errc{} || stop != end || node.port == 0) return std::nullopt;
  if (host.empty() || !is_redis_host(host)) return std::nullopt;
  return node;
}

}  // namespace oidc
