// A network address with its port.
#pragma once

#include <sys/socket.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace oidc {

class Address {
 public:
  // An IPv4 or IPv6 literal, without brackets; nullopt for anything else.
  [[nodiscard]] static std::optional<Address> parse(std::string_view literal, std::uint16_t port);
  // nullopt for other families than IPv4 and IPv6.
  [[nodiscard]] static std::optional<Address> from(const sockaddr* address, socklen_t length,
                                                   std::uint16_t port);

  [[nodiscard]] Address with_port(std::uint16_t port) const noexcept;
  [[nodiscard]] const sockaddr* get() const noexcept {
    return reinterpret_cast<const sockaddr*>(&storage_);
  }
  [[nodiscard]] socklen_t length() const noexcept { return length_; }
  [[nodiscard]] int family() const noexcept { return storage_.ss_family; }
  [[nodiscard]] bool is_ipv6() const noexcept { return family() == AF_INET6; }
  // "192.0.2.1" or "2001:db8::1", without port and brackets.
  [[nodiscard]] std::string text() const;

 private:
  Address() = default;
  sockaddr_storage storage_{};
  socklen_t length_ = 0;
};

}  // namespace oidc
