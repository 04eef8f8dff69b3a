#include "io/redis_tls.h"

#include <openssl/x509v3.h>

#include "io/address.h"

namespace oidc {

namespace {

struct FreeCertificate {
  void operator()(X509* certificate) const noexcept { X509_free(certificate); }
};

bool is_address(const std::string& name) {
  return Address::parse(name, 0).has_value();
}

}  // namespace

Result<std::shared_ptr<RedisTls>> RedisTls::create(std::shared_ptr<const TlsTrust> trust,
                                                   bool verify, ngx_log_t* log) {
  auto tls = std::make_shared<RedisTls>();
  tls->ssl_.log = log;
  tls->trust_ = std::move(trust);
  tls->verify_ = verify;
  if (ngx_ssl_create(&tls->ssl_, NGX_SSL_TLSv1_2 | NGX_SSL_TLSv1_3, nullptr) != NGX_OK) {
    return Error{Errc::invalid_configuration, "no TLS context could be made"};
  }
  SSL_CTX* context = tls->ssl_.ctx;
  SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
  // What waits to be sent may move while it waits.
  SSL_CTX_set_mode(context, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
  SSL_CTX_set_verify(context, verify ? SSL_VERIFY_PEER : SSL_VERIFY_NONE, nullptr);
  if (tls->trust_ && !tls->trust_->install(context)) {
    return Error{Errc::invalid_configuration, "the TLS certificates could not be installed"};
  }
  return tls;
}

RedisTls::~RedisTls() {
  if (ssl_.ctx != nullptr) ngx_ssl_cleanup_ctx(&ssl_);
}

bool RedisTls::begin(ngx_connection_t& connection, const std::string& name) {
  if (ngx_ssl_create_connection(&ssl_, &connection, NGX_SSL_CLIENT) != NGX_OK) return false;
  // An address is no SNI (RFC 6066 section 3).
  if (name.empty() || is_address(name)) return true;
  return SSL_set_tlsext_host_name(connection.ssl->connection, name.c_str()) == 1;
}

std::string RedisTls::objection(ngx_connection_t& connection, const std::string& name) const {
  SSL* ssl = connection.ssl->connection;
  const long verified = SSL_get_verify_result(ssl);
  if (verify_ && verified != X509_V_OK) {
    return std::string("the server's certificate is not trusted: ") +
           X509_verify_cert_error_string(verified);
  }
  if (!connection.ssl->handshaked) return "the TLS handshake failed";
  if (!verify_) return {};
  const std::unique_ptr<X509, FreeCertificate> certificate(SSL_get1_peer_certificate(ssl));
  if (!certificate) return "the server has no certificate";
  if (name.empty()) return "there is no name to compare with the server's certificate";
  if (is_address(name)) {
    if (X509_check_ip_asc(certificate.get(), name.c_str(), 0) == 1) return {};
  } else {
    ngx_str_t host = to_ngx_str(name);
    if (ngx_ssl_check_host(&connection, &host) == NGX_OK) return {};
  }
  return "the server's certificate is not for \"" + name + "\"";
}

}  // namespace oidc
