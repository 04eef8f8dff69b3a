// A provider's private key, for tokens that are really signed. Made by OpenSSL alone: nothing of
// what is tested takes part.
#pragma once

#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/ecdsa.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>

#include <memory>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "oidc/base64url.h"

namespace oidc::test {

class SigningKey {
 public:
  // Made once for each name: the same key in each test.
  [[nodiscard]] static const SigningKey& ec(std::string kid) {
    return made(std::move(kid), [] { return EVP_EC_gen("P-256"); });
  }
  [[nodiscard]] static const SigningKey& rsa(std::string kid) {
    return made(std::move(kid), [] { return EVP_RSA_gen(2048); });
  }

  [[nodiscard]] const std::string& kid() const { return kid_; }
  [[nodiscard]] std::string alg() const { return is_rsa() ? "RS256" : "ES256"; }

  [[nodiscard]] nlohmann::json jwk() const {
    nlohmann::json jwk = {{"kid", kid_}, {"use", "sig"}, {"alg", alg()}};
    if (is_rsa()) {
      jwk["kty"] = "RSA";
      jwk["n"] = number(OSSL_PKEY_PARAM_RSA_N, 256);
      jwk["e"] = number(OSSL_PKEY_PARAM_RSA_E, 3);
    } else {
      jwk["kty"] = "EC";
      jwk["crv"] = "P-256";
      jwk["x"] = number(OSSL_PKEY_PARAM_EC_PUB_X, 32);
      jwk["y"] = number(OSSL_PKEY_PARAM_EC_PUB_Y, 32);
    }
    return jwk;
  }

  // A compact JWS (RFC 7515). The header gets this key's alg and kid where it has none.
  [[nodiscard]] std::string sign(nlohmann::json header, const nlohmann::json& claims) const {
    if (!header.contains("alg")) header["alg"] = alg();
    if (!header.contains("kid")) header["kid"] = kid_;
    const std::string input =
        base64url_encode(header.dump()) + "." + base64url_encode(claims.dump());
    const std::string signature = raw_signature(input);
    return input + "." + base64url_encode(signature);
  }

 private:
  using Key = std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)>;

  SigningKey(std::string kid, EVP_PKEY* key) : kid_(std::move(kid)), key_(key, EVP_PKEY_free) {
    if (!key_) throw std::runtime_error("no key");
  }

  template <class Make>
  static const SigningKey& made(std::string kid, Make make) {
    static std::vector<std::unique_ptr<SigningKey>> keys;
    for (const auto& key : keys) {
      if (key->kid_ == kid) return *key;
    }
    keys.emplace_back(new SigningKey(std::move(kid), make()));
    return *keys.back();
  }

  [[nodiscard]] bool is_rsa() const { return EVP_PKEY_get_base_id(key_.get()) == EVP_PKEY_RSA; }

  [[nodiscard]] std::string number(const char* parameter, int size) const {
    BIGNUM* value = nullptr;
    if (EVP_PKEY_get_bn_param(key_.get(), parameter, &value) != 1) {
      throw std::runtime_error(parameter);
    }
    std::string bytes(static_cast<std::size_t>(size), '\0');
    BN_bn2binpad(value, reinterpret_cast<unsigned char*>(bytes.data()), size);
    BN_free(value);
    return base64url_encode(bytes);
  }

  [[nodiscard]] std::string raw_signature(const std::string& input) const {
    const std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> context(EVP_MD_CTX_new(),
                                                                          EVP_MD_CTX_free);
    const auto* bytes = reinterpret_cast<const unsigned char*>(input.data());
    std::size_t size = 0;
    std::string signature(512, '\0');
    auto* out = reinterpret_cast<unsigned char*>(signature.data());
    size = signature.size();
    if (EVP_DigestSignInit(context.get(), nullptr, EVP_sha256(), nullptr, key_.get()) != 1 ||
        EVP_DigestSign(context.get(), out, &size, bytes, input.size()) != 1) {
      throw std::runtime_error("not signed");
    }
    signature.resize(size);
    return is_rsa() ? signature : joined(signature);
  }

  // RFC 7518 section 3.4: r and s side by side, 32 bytes each.
  [[nodiscard]] static std::string joined(const std::string& der) {
    const auto* bytes = reinterpret_cast<const unsigned char*>(der.data());
    const std::unique_ptr<ECDSA_SIG, decltype(&ECDSA_SIG_free)> pair(
        d2i_ECDSA_SIG(nullptr, &bytes, static_cast<long>(der.size())), ECDSA_SIG_free);
    std::string raw(64, '\0');
    auto* out = reinterpret_cast<unsigned char*>(raw.data());
    BN_bn2binpad(ECDSA_SIG_get0_r(pair.get()), out, 32);
    BN_bn2binpad(ECDSA_SIG_get0_s(pair.get()), out + 32, 32);
    return raw;
  }

  std::string kid_;
  Key key_;
};

}  // namespace oidc::test
