#include "io/tls_trust.h"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <unistd.h>

#include <array>
#include <cstdlib>
#include <cstring>

namespace oidc {
namespace {

// The reason of OpenSSL's oldest error, which is then forgotten with the others: nginx reports an
// error that was left in the queue as a failure of its own connections.
Error file_error(const std::string& path) {
  std::string reason = "not usable";
  if (const unsigned long error = ERR_get_error(); error != 0) {
    if (ERR_SYSTEM_ERROR(error)) {
      reason = std::strerror(ERR_GET_REASON(error));
    } else if (const char* text = ERR_reason_error_string(error)) {
      reason = text;
    }
  }
  ERR_clear_error();
  return {Errc::invalid_configuration, path + ": " + reason};
}

struct FreeBio {
  void operator()(BIO* bio) const noexcept { BIO_free(bio); }
};
using Bio = std::unique_ptr<BIO, FreeBio>;

// Never asks on the terminal: an encrypted key is an error.
int no_passphrase(char*, int, int, void*) noexcept {
  return -1;
}

}  // namespace

void TlsTrust::Free::operator()(x509_store_st* store) const noexcept {
  X509_STORE_free(store);
}
void TlsTrust::Free::operator()(x509_st* certificate) const noexcept {
  X509_free(certificate);
}
void TlsTrust::Free::operator()(evp_pkey_st* key) const noexcept {
  EVP_PKEY_free(key);
}

Result<std::shared_ptr<const TlsTrust>> TlsTrust::load(const TlsFiles& files) {
  ERR_clear_error();
  auto trust = std::make_shared<TlsTrust>();
  trust->store_.reset(X509_STORE_new());
  if (!trust->store_) return file_error("X509_STORE");

  std::string trusted = files.trusted_certificate;
  if (trusted.empty()) trusted = system_trust_file();
  if (auto done = trust->load_trusted(trusted); !done) return done.error();
  if (!files.crl.empty()) {
    if (auto done = trust->load_crl(files.crl); !done) return done.error();
  }
  if (files.certificate.empty() != files.certificate_key.empty()) {
    return Error{Errc::invalid_configuration, "a client certificate and its key go together"};
  }
  if (!files.certificate.empty()) {
    if (auto done = trust->load_certificate(files.certificate); !done) return done.error();
    if (auto done = trust->load_key(files.certificate_key); !done) return done.error();
  }
  return std::shared_ptr<const TlsTrust>(std::move(trust));
}

Result<void> TlsTrust::load_trusted(const std::string& path) {
  if (X509_STORE_load_file(store_.get(), path.c_str()) != 1) return file_error(path);
  // What the operator lists is trusted as such, an intermediate certificate too.
  X509_STORE_set_flags(store_.get(), X509_V_FLAG_PARTIAL_CHAIN);
  return {};
}

Result<void> TlsTrust::load_crl(const std::string& path) {
  X509_LOOKUP* lookup = X509_STORE_add_lookup(store_.get(), X509_LOOKUP_file());
  if (lookup == nullptr) return file_error(path);
  if (X509_load_crl_file(lookup, path.c_str(), X509_FILETYPE_PEM) < 1) return file_error(path);
  X509_STORE_set_flags(store_.get(), X509_V_FLAG_CRL_CHECK | X509_V_FLAG_CRL_CHECK_ALL);
  return {};
}

Result<void> TlsTrust::load_certificate(const std::string& path) {
  const Bio bio(BIO_new_file(path.c_str(), "r"));
  if (!bio) return file_error(path);
  while (X509* certificate = PEM_read_bio_X509(bio.get(), nullptr, no_passphrase, nullptr)) {
    chain_.emplace_back(certificate);
  }
  const unsigned long error = ERR_peek_last_error();
  const bool at_end =
      ERR_GET_LIB(error) == ERR_LIB_PEM && ERR_GET_REASON(error) == PEM_R_NO_START_LINE;
  if (chain_.empty() || !at_end) return file_error(path);
  ERR_clear_error();
  return {};
}

Result<void> TlsTrust::load_key(const std::string& path) {
  const Bio bio(BIO_new_file(path.c_str(), "r"));
  if (!bio) return file_error(path);
  key_.reset(PEM_read_bio_PrivateKey(bio.get(), nullptr, no_passphrase, nullptr));
  if (!key_) return file_error(path);
  if (X509_check_private_key(chain_.front().get(), key_.get()) != 1) return file_error(path);
  return {};
}

bool TlsTrust::install(ssl_ctx_st* context) const noexcept {
  SSL_CTX_set1_cert_store(context, store_.get());
  if (chain_.empty()) return true;
  if (SSL_CTX_use_certificate(context, chain_.front().get()) != 1) return false;
  for (std::size_t i = 1; i < chain_.size(); ++i) {
    if (SSL_CTX_add1_chain_cert(context, chain_[i].get()) != 1) return false;
  }
  return SSL_CTX_use_PrivateKey(context, key_.get()) == 1;
}

std::string system_trust_file() {
  const char* configured = std::getenv(X509_get_default_cert_file_env());
  if (configured != nullptr && *configured != '\0') return configured;
  constexpr std::array kPlaces{
      "/etc/ssl/certs/ca-certificates.crt",                 // Debian, Alpine, Arch
      "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",  // Fedora, RHEL
      "/etc/pki/tls/certs/ca-bundle.crt",
      "/etc/ssl/ca-bundle.pem",  // SUSE
      "/etc/ssl/cert.pem",       // BSD
  };
  for (const char* place : kPlaces) {
    if (access(place, R_OK) == 0) return place;
  }
  return X509_get_default_cert_file();
}

}  // namespace oidc
