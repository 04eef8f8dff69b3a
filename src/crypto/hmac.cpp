#include <openssl/core_names.h>

#include "openssl.h"

namespace oidc {
namespace {

EVP_MAC* hmac_method() {
  static const openssl::Mac kHmac(EVP_MAC_fetch(nullptr, "HMAC", nullptr));
  openssl::require(kHmac != nullptr, "no HMAC");
  return kHmac.get();
}

EVP_MAC_CTX* keyed_context(std::string_view key) {
  openssl::MacContext context(EVP_MAC_CTX_new(hmac_method()));
  char digest[] = "SHA256";
  const OSSL_PARAM params[] = {
      OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest, 0),
      OSSL_PARAM_construct_end(),
  };
  // A null pointer would mean that there is no key rather than an empty one.
  const unsigned char* const bytes = openssl::bytes_of(key.empty() ? "" : key);
  openssl::require(
      context != nullptr && EVP_MAC_init(context.get(), bytes, key.size(), params) == 1,
      "HMAC key");
  return context.release();
}

bool sign_into(EVP_MAC_CTX* context, std::span<const std::string_view> pieces, Sha256& out) {
  bool ok = context != nullptr && EVP_MAC_init(context, nullptr, 0, nullptr) == 1;
  for (const std::string_view piece : pieces) {
    ok = ok && EVP_MAC_update(context, openssl::bytes_of(piece), piece.size()) == 1;
  }
  std::size_t size = 0;
  return ok && EVP_MAC_final(context, out.data(), &size, out.size()) == 1 && size == out.size();
}

// Before OpenSSL 3.0.3, EVP_MAC_init without a key succeeds and resets nothing (its issue 17811).
bool starts_again_without_key() {
  const openssl::ErrorScope errors;
  const openssl::MacContext context(keyed_context("key"));
  const std::string_view message = "message";
  Sha256 first{};
  Sha256 second{};
  return sign_into(context.get(), {&message, 1}, first) &&
         sign_into(context.get(), {&message, 1}, second) && first == second;
}

}  // namespace

void HmacKey::Free::operator()(evp_mac_ctx_st* context) const noexcept {
  EVP_MAC_CTX_free(context);
}

HmacKey::HmacKey(std::string_view key) : context_(keyed_context(key)) {}

Sha256 HmacKey::sign(std::string_view message) const {
  return sign({&message, 1});
}

Sha256 HmacKey::sign(std::span<const std::string_view> pieces) const {
  static const bool kReusable = starts_again_without_key();
  const openssl::MacContext copy(kReusable ? nullptr : EVP_MAC_CTX_dup(context_.get()));
  Sha256 out;
  openssl::require(sign_into(kReusable ? context_.get() : copy.get(), pieces, out), "HMAC");
  return out;
}

}  // namespace oidc
