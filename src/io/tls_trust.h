// Whom a TLS client trusts and who it says it is. The files are read in the master, at
// configuration: a worker without privileges cannot read keys, and parsing a bundle of certificate
// authorities takes tens of milliseconds. Immutable and shared by all workers' connections.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "oidc/result.h"

struct ssl_ctx_st;
struct x509_store_st;
struct x509_st;
struct evp_pkey_st;

namespace oidc {

struct TlsFiles {
  std::string trusted_certificate;  // PEM; empty: the system's bundle
  std::string crl;                  // PEM; empty: no revocation check
  std::string certificate;          // PEM, the client's own, with its chain; empty: none
  std::string certificate_key;      // PEM, not encrypted
};

class TlsTrust {
 public:
  // Fails with invalid_configuration; the detail names the file.
  [[nodiscard]] static Result<std::shared_ptr<const TlsTrust>> load(const TlsFiles& files);

  // Puts the trust store and the client certificate, if any, into a context that is about to be
  // used. False: out of memory.
  [[nodiscard]] bool install(ssl_ctx_st* context) const noexcept;

 private:
  struct Free {
    void operator()(x509_store_st* store) const noexcept;
    void operator()(x509_st* certificate) const noexcept;
    void operator()(evp_pkey_st* key) const noexcept;
  };

  [[nodiscard]] Result<void> load_trusted(const std::string& path);
  [[nodiscard]] Result<void> load_crl(const std::string& path);
  [[nodiscard]] Result<void> load_certificate(const std::string& path);
  [[nodiscard]] Result<void> load_key(const std::string& path);

  std::unique_ptr<x509_store_st, Free> store_;
  std::vector<std::unique_ptr<x509_st, Free>> chain_;  // the client's own certificate first
  std::unique_ptr<evp_pkey_st, Free> key_;
};

// The system's bundle of certificate authorities: $SSL_CERT_FILE, else the first that exists of the
// usual places, else OpenSSL's own default, whether it exists or not.
[[nodiscard]] std::string system_trust_file();

}  // namespace oidc
