// TLS of a Redis client over nginx's connections. Verification fails closed: the handshake breaks
// off for an untrusted chain, and nothing is sent before the certificate's name was compared.
#pragma once

#include <memory>
#include <string>

#include "io/nginx.h"
#include "io/tls_trust.h"

namespace oidc {

class RedisTls {
 public:
  // At configuration, in the master. Without `trust` nothing is trusted. Fails with
  // invalid_configuration.
  [[nodiscard]] static Result<std::shared_ptr<RedisTls>> create(
      std::shared_ptr<const TlsTrust> trust, bool verify, ngx_log_t* log);
  RedisTls() = default;
  RedisTls(const RedisTls&) = delete;
  RedisTls& operator=(const RedisTls&) = delete;
  ~RedisTls();

  // Gives the connection its TLS; `name` is what the server calls itself: a host name, which is
  // sent as SNI, or an address.
  [[nodiscard]] bool begin(ngx_connection_t& connection, const std::string& name);
  // After the handshake, whether it succeeded or not: why the connection is not to be used, or
  // empty.
  [[nodiscard]] std::string objection(ngx_connection_t& connection, const std::string& name) const;

 private:
  ngx_ssl_t ssl_{};
  std::shared_ptr<const TlsTrust> trust_;
  bool verify_ = true;
};

}  // namespace oidc
