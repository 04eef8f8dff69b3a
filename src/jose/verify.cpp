#include <array>

#include "hashes.h"
#include "oidc/client_key.h"

namespace oidc {
namespace {

// RFC 7518 section 3.4: r and s, each in the curve's full length, one after the other. As DER,
// which is what OpenSSL reads; empty when it is not that.
std::string ecdsa_der(std::string_view signature, KeyType type) {
  const std::size_t half = ecdsa_half(type);
  if (signature.size() != 2 * half) return {};
  const unsigned char* const bytes = openssl::bytes_of(signature);
  openssl::BigNumber r(BN_bin2bn(bytes, static_cast<int>(half), nullptr));
  openssl::BigNumber s(BN_bin2bn(bytes + half, static_cast<int>(half), nullptr));
  const openssl::EcdsaSignature parsed(ECDSA_SIG_new());
  openssl::require(r && s && parsed, "ECDSA signature");
  openssl::require(ECDSA_SIG_set0(parsed.get(), r.release(), s.release()) == 1, "ECDSA signature");
  std::array<unsigned char, 160> der;
  const int size = i2d_ECDSA_SIG(parsed.get(), nullptr);
  if (size <= 0 || static_cast<std::size_t>(size) > der.size()) return {};
  unsigned char* end = der.data();
  i2d_ECDSA_SIG(parsed.get(), &end);
  return {reinterpret_cast<const char*>(der.data()), static_cast<std::size_t>(size)};
}

bool signature_holds(const Jwt& jwt, const Jwk& key) {
  const openssl::ErrorScope errors;
  const bool edwards = key.type == KeyType::ed25519 || key.type == KeyType::ed448;
  const EVP_MD* const hash = edwards ? nullptr : openssl::message_digest(hash_of(jwt.alg));
  const openssl::DigestContext context(EVP_MD_CTX_new());
  EVP_PKEY_CTX* key_context = nullptr;
  openssl::require(context != nullptr, "signature check");
  // OpenSSL refuses keys that it finds too weak, or hashes that its policy forbids.
  if (EVP_DigestVerifyInit(context.get(), &key_context, hash, nullptr, key.key.get()) != 1) {
    return false;
  }
  if (is_pss(jwt.alg) && !use_pss(key_context, hash)) return false;

  const bool ecdsa = key.type != KeyType::rsa && !edwards;
  const std::string der = ecdsa ? ecdsa_der(jwt.signature, key.type) : std::string();
  const std::string_view signature = ecdsa ? der : jwt.signature;
  return !signature.empty() &&
         EVP_DigestVerify(context.get(), openssl::bytes_of(signature), signature.size(),
                          openssl::bytes_of(jwt.signing_input), jwt.signing_input.size()) == 1;
}

}  // namespace

Result<void> verify_signature(const Jwt& jwt, const Jwk& key) {
  if (!key.fits(jwt.alg)) return Error{Errc::jwt_key_mismatch, std::string(to_string(jwt.alg))};
  if (!signature_holds(jwt, key))
    return Error{Errc::jwt_signature, std::string(to_string(jwt.alg))};
  return {};
}

Result<void> verify_hmac(const Jwt& jwt, const Secret& secret) {
  if (!is_hmac(jwt.alg)) return Error{Errc::jwt_key_mismatch, std::string(to_string(jwt.alg))};
  if (secret.size() < hmac_secret_size(jwt.alg)) {
    return Error{Errc::jwt_key_mismatch, "the client secret is shorter than the hash"};
  }
  const std::string mac = hmac_signature(jwt.alg, secret.view(), jwt.signing_input);
  if (!constant_time_equal(mac, jwt.signature)) {
    return Error{Errc::jwt_signature, std::string(to_string(jwt.alg))};
  }
  return {};
}

Result<void> verify_with_key_set(const Jwt& jwt, const KeySet& keys) {
  const Result<const Jwk*> key = verifying_key(jwt, keys);
  if (!key) return key.error();
  return {};
}

Result<const Jwk*> verifying_key(const Jwt& jwt, const KeySet& keys) {
  const std::vector<const Jwk*> candidates = keys.candidates(jwt.alg, jwt.kid);
  if (candidates.empty()) {
    return Error{Errc::jwt_key_unknown, keys.has_kid(jwt.kid) && !jwt.kid.empty()
                                            ? "the key of this kid does not fit the algorithm"
                                            : "no key for this token"};
  }
  Result<void> last = Errc::jwt_signature;
  for (const Jwk* key : candidates) {
    last = verify_signature(jwt, *key);
    if (last) return key;
  }
  return std::move(last).error();
}

}  // namespace oidc
