#include "io/address.h"

#include <arpa/inet.h>
#include <netinet/in.h>

#include <array>
#include <cstring>

namespace oidc {

std::optional<Address> Address::parse(std::string_view literal, std::uint16_t port) {
  std::array<char, INET6_ADDRSTRLEN> text{};
  if (literal.size() >= text.size()) return std::nullopt;
  literal.copy(text.data(), literal.size());

  Address result;
  sockaddr_in ipv4{};
  if (inet_pton(AF_INET, text.data(), &ipv4.sin_addr) == 1) {
    ipv4.sin_family = AF_INET;
    std::memcpy(&result.storage_, &ipv4, sizeof ipv4);
    result.length_ = sizeof ipv4;
    return result.with_port(port);
  }
  sockaddr_in6 ipv6{};
  if (inet_pton(AF_INET6, text.data(), &ipv6.sin6_addr) == 1) {
    ipv6.sin6_family = AF_INET6;
    std::memcpy(&result.storage_, &ipv6, sizeof ipv6);
    result.length_ = sizeof ipv6;
    return result.with_port(port);
  }
  return std::nullopt;
}

std::optional<Address> Address::from(const sockaddr* address, socklen_t length,
                                     std::uint16_t port) {
  if (address->sa_family != AF_INET && address->sa_family != AF_INET6) return std::nullopt;
  if (length > sizeof(sockaddr_storage)) return std::nullopt;
  Address result;
  std::memcpy(&result.storage_, address, length);
  result.length_ = length;
  return result.with_port(port);
}

Address Address::with_port(std::uint16_t port) const noexcept {
  Address result = *this;
  const std::uint16_t network_order = htons(port);
  const std::size_t offset =
      is_ipv6() ? offsetof(sockaddr_in6, sin6_port) : offsetof(sockaddr_in, sin_port);
  std::memcpy(reinterpret_cast<char*>(&result.storage_) + offset, &network_order,
              sizeof network_order);
  return result;
}

std::string Address::text() const {
  std::array<char, INET6_ADDRSTRLEN> text{};
  const std::size_t offset =
      is_ipv6() ? offsetof(sockaddr_in6, sin6_addr) : offsetof(sockaddr_in, sin_addr);
  const char* bytes = reinterpret_cast<const char*>(&storage_) + offset;
  if (inet_ntop(family(), bytes, text.data(), text.size()) == nullptr) return {};
  return text.data();
}

}  // namespace oidc
