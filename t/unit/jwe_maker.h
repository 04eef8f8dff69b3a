// Encrypts as a provider does (RSA-OAEP, A256GCM), by OpenSSL alone: nothing of what is tested takes
// part.
#pragma once

#include <openssl/evp.h>
#include <openssl/rsa.h>

#include <memory>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <string>

#include "jose_parts.h"
#include "jwe_vectors.h"
#include "oidc/jwe.h"

namespace oidc::test {

[[nodiscard]] inline JweAccepted all_encryption() {
  JweAccepted accepted;
  for (const JweAlg alg :
       {JweAlg::RSA_OAEP, JweAlg::RSA_OAEP_256, JweAlg::ECDH_ES, JweAlg::ECDH_ES_A128KW,
        JweAlg::ECDH_ES_A192KW, JweAlg::ECDH_ES_A256KW}) {
    accepted.add(alg);
  }
  for (const JweEnc enc : {JweEnc::A128GCM, JweEnc::A192GCM, JweEnc::A256GCM,
                           JweEnc::A128CBC_HS256, JweEnc::A192CBC_HS384, JweEnc::A256CBC_HS512}) {
    accepted.add(enc);
  }
  return accepted;
}

[[nodiscard]] inline std::shared_ptr<const DecryptionKey> decryption_key(std::string_view jwk) {
  return DecryptionKey::parse(jwk).value();
}

// To the key, with more members in the header.
[[nodiscard]] inline std::string encrypted(const std::string& content, const DecryptionKey& to,
                                           const nlohmann::json& more = nlohmann::json::object()) {
  nlohmann::json header = {{"alg", "RSA-OAEP"}, {"enc", "A256GCM"}, {"cty", "JWT"}};
  header.update(more);
  const std::string key(32, 'k');
  std::string sealed_key(512, '\0');
  std::size_t size = sealed_key.size();
  const std::unique_ptr<EVP_PKEY_CTX, decltype(&EVP_PKEY_CTX_free)> rsa(
      EVP_PKEY_CTX_new(to.get(), nullptr), EVP_PKEY_CTX_free);
  const auto* bytes = reinterpret_cast<const unsigned char*>(key.data());
  if (EVP_PKEY_encrypt_init(rsa.get()) != 1 ||
      EVP_PKEY_CTX_set_rsa_padding(rsa.get(), RSA_PKCS1_OAEP_PADDING) != 1 ||
      EVP_PKEY_encrypt(rsa.get(), reinterpret_cast<unsigned char*>(sealed_key.data()), &size, bytes,
                       key.size()) != 1) {
    throw std::runtime_error("not encrypted");
  }
  sealed_key.resize(size);
  const std::string head = base64url_encode(header.dump());
  const std::unique_ptr<EVP_CIPHER_CTX, decltype(&EVP_CIPHER_CTX_free)> gcm(EVP_CIPHER_CTX_new(),
                                                                            EVP_CIPHER_CTX_free);
  const std::string iv(12, 'n');
  std::string text(content.size(), '\0');
  std::string tag(16, '\0');
  int done = 0;
  const bool sealed =
      EVP_EncryptInit_ex(gcm.get(), EVP_aes_256_gcm(), nullptr, bytes,
                         reinterpret_cast<const unsigned char*>(iv.data())) == 1 &&
      EVP_EncryptUpdate(gcm.get(), nullptr, &done,
                        reinterpret_cast<const unsigned char*>(head.data()),
                        static_cast<int>(head.size())) == 1 &&
      EVP_EncryptUpdate(gcm.get(), reinterpret_cast<unsigned char*>(text.data()), &done,
                        reinterpret_cast<const unsigned char*>(content.data()),
                        static_cast<int>(content.size())) == 1 &&
      EVP_EncryptFinal_ex(gcm.get(), reinterpret_cast<unsigned char*>(tag.data()), &done) == 1 &&
      EVP_CIPHER_CTX_ctrl(gcm.get(), EVP_CTRL_GCM_GET_TAG, 16, tag.data()) == 1;
  if (!sealed) throw std::runtime_error("not encrypted");
  return joined({head, base64url_encode(sealed_key), base64url_encode(iv), base64url_encode(text),
                 base64url_encode(tag)});
}

}  // namespace oidc::test
