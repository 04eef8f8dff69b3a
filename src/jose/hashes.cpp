#include "hashes.h"

#include <openssl/rsa.h>

namespace oidc {

Hash hash_of(Alg alg) noexcept {
  switch (alg) {
    case Alg::RS384:
    case Alg::PS384:
    case Alg::ES384:
    case Alg::HS384:
      return Hash::sha384;
    case Alg::RS512:
    case Alg::PS512:
    case Alg::ES512:
    case Alg::HS512:
      return Hash::sha512;
    default:
      return Hash::sha256;
  }
}

bool is_pss(Alg alg) noexcept {
  return alg == Alg::PS256 || alg == Alg::PS384 || alg == Alg::PS512;
}

bool is_hmac(Alg alg) noexcept {
  return alg == Alg::HS256 || alg == Alg::HS384 || alg == Alg::HS512;
}

bool use_pss(EVP_PKEY_CTX* context, const EVP_MD* hash) noexcept {
  return EVP_PKEY_CTX_set_rsa_padding(context, RSA_PKCS1_PSS_PADDING) == 1 &&
         EVP_PKEY_CTX_set_rsa_pss_saltlen(context, RSA_PSS_SALTLEN_DIGEST) == 1 &&
         EVP_PKEY_CTX_set_rsa_mgf1_md(context, hash) == 1;
}

std::size_t ecdsa_half(KeyType type) noexcept {
  return type == KeyType::ec_p256 ? 32 : type == KeyType::ec_p384 ? 48 : 66;
}

}  // namespace oidc
