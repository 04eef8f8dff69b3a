#include "public_members.h"

#include <openssl/core_names.h>

#include <array>
#include <nlohmann/json.hpp>

#include "../crypto/openssl.h"
#include "oidc/base64url.h"

namespace oidc {
namespace {

std::string number_of(const EVP_PKEY* key, const char* name, std::size_t size) {
  BIGNUM* raw = nullptr;
  openssl::require(EVP_PKEY_get_bn_param(key, name, &raw) == 1, "key");
  const openssl::BigNumber number(raw);
  std::string bytes(size == 0 ? static_cast<std::size_t>(BN_num_bytes(raw)) : size, '\0');
  openssl::require(BN_bn2binpad(raw, reinterpret_cast<unsigned char*>(bytes.data()),
                                static_cast<int>(bytes.size())) >= 0,
                   "key");
  return base64url_encode(bytes);
}

Json ec_public(const EVP_PKEY* key) {
  std::array<char, 32> group{};
  std::size_t length = 0;
  if (EVP_PKEY_get_utf8_string_param(key, OSSL_PKEY_PARAM_GROUP_NAME, group.data(), group.size(),
                                     &length) != 1) {
    return nullptr;
  }
  const std::string_view name(group.data(), length);
  const char* const curve = name == "prime256v1"  ? "P-256"
                            : name == "secp384r1" ? "P-384"
                            : name == "secp521r1" ? "P-521"
                                                  : nullptr;
  if (curve == nullptr) return nullptr;
  const std::size_t size = static_cast<std::size_t>(EVP_PKEY_get_bits(key) + 7) / 8;
  return {{"kty", "EC"}, {"crv", curve},
          {"x", number_of(key, OSSL_PKEY_PARAM_EC_PUB_X, size)},
          {"y", number_of(key, OSSL_PKEY_PARAM_EC_PUB_Y, size)}};
}

Json okp_public(const EVP_PKEY* key, const char* curve) {
  std::array<unsigned char, 64> raw{};
  std::size_t size = raw.size();
  openssl::require(EVP_PKEY_get_raw_public_key(key, raw.data(), &size) == 1, "key");
  return {{"kty", "OKP"}, {"crv", curve},
          {"x", base64url_encode({reinterpret_cast<const char*>(raw.data()), size})}};
}

}  // namespace

Json public_members(const EVP_PKEY* key) {
  switch (EVP_PKEY_get_base_id(key)) {
    case EVP_PKEY_RSA:
      return {{"kty", "RSA"},
              {"n", number_of(key, OSSL_PKEY_PARAM_RSA_N, 0)},
              {"e", number_of(key, OSSL_PKEY_PARAM_RSA_E, 0)}};
    case EVP_PKEY_EC:
      return ec_public(key);
    case EVP_PKEY_ED25519:
      return okp_public(key, "Ed25519");
    case EVP_PKEY_ED448:
      return okp_public(key, "Ed448");
    case EVP_PKEY_X25519:
      return okp_public(key, "X25519");
    default:
      return nullptr;
  }
}

}  // namespace oidc
