#include "private_jwk.h"

#include <openssl/core_names.h>

#include <nlohmann/json.hpp>
#include <vector>

#include "oidc/base64url.h"

namespace oidc {
namespace {

using KeyPointer = std::shared_ptr<EVP_PKEY>;

std::string bytes_member(const Json& jwk, std::string_view name) {
  const std::optional<std::string> text = json_string(jwk, name);
  if (!text) return {};
  Result<std::string> bytes = base64url_decode(*text);
  return bytes ? std::move(*bytes) : std::string();
}

// Numbers live as long as the parameters that are built of them.
class Builder {
 public:
  Builder() : builder_(OSSL_PARAM_BLD_new()) {
    openssl::require(builder_ != nullptr, "key parameters");
  }
  bool number(const char* name, const Json& jwk, std::string_view member) {
    std::string bytes = bytes_member(jwk, member);
    if (bytes.empty()) return false;
    openssl::BigNumber value(
        BN_bin2bn(openssl::bytes_of(bytes), static_cast<int>(bytes.size()), nullptr));
    cleanse(bytes);
    openssl::require(value && OSSL_PARAM_BLD_push_BN(builder_.get(), name, value.get()) == 1,
                     "key parameters");
    numbers_.push_back(std::move(value));
    return true;
  }
  OSSL_PARAM_BLD* get() const noexcept { return builder_.get(); }
  KeyPointer make(const char* type) const {
    const openssl::Params params(OSSL_PARAM_BLD_to_param(builder_.get()));
    const openssl::KeyContext context(EVP_PKEY_CTX_new_from_name(nullptr, type, nullptr));
    openssl::require(params != nullptr && context != nullptr, "key parameters");
    EVP_PKEY* key = nullptr;
    if (EVP_PKEY_fromdata_init(context.get()) != 1 ||
        EVP_PKEY_fromdata(context.get(), &key, EVP_PKEY_KEYPAIR, params.get()) != 1) {
      return nullptr;
    }
    return {key, EVP_PKEY_free};
  }

 private:
  openssl::ParamBuilder builder_;
  std::vector<openssl::BigNumber> numbers_;
};

KeyPointer rsa(const Json& jwk) {
  Builder builder;
  if (!builder.number(OSSL_PKEY_PARAM_RSA_N, jwk, "n") ||
      !builder.number(OSSL_PKEY_PARAM_RSA_E, jwk, "e") ||
      !builder.number(OSSL_PKEY_PARAM_RSA_D, jwk, "d")) {
    return nullptr;
  }
  if (jwk.contains("p")) {  // RFC 7518 section 6.3.2: then the others are there too
    const bool all = builder.number(OSSL_PKEY_PARAM_RSA_FACTOR1, jwk, "p") &&
                     builder.number(OSSL_PKEY_PARAM_RSA_FACTOR2, jwk, "q") &&
                     builder.number(OSSL_PKEY_PARAM_RSA_EXPONENT1, jwk, "dp") &&
                     builder.number(OSSL_PKEY_PARAM_RSA_EXPONENT2, jwk, "dq") &&
                     builder.number(OSSL_PKEY_PARAM_RSA_COEFFICIENT1, jwk, "qi");
    if (!all) return nullptr;
  }
  return builder.make("RSA");
}

KeyPointer ec(const Json& jwk) {
  const std::string curve = json_string(jwk, "crv").value_or("");
  if (curve != "P-256" && curve != "P-384" && curve != "P-521") return nullptr;
  std::string point = "\x04";
  point.append(bytes_member(jwk, "x")).append(bytes_member(jwk, "y"));
  Builder builder;
  openssl::require(OSSL_PARAM_BLD_push_utf8_string(builder.get(), OSSL_PKEY_PARAM_GROUP_NAME,
                                                   curve.c_str(), 0) == 1 &&
                       OSSL_PARAM_BLD_push_octet_string(builder.get(), OSSL_PKEY_PARAM_PUB_KEY,
                                                        point.data(), point.size()) == 1,
                   "key parameters");
  if (!builder.number(OSSL_PKEY_PARAM_PRIV_KEY, jwk, "d")) return nullptr;
  return builder.make("EC");
}

KeyPointer okp(const Json& jwk) {
  const std::string curve = json_string(jwk, "crv").value_or("");
  if (curve != "Ed25519" && curve != "Ed448" && curve != "X25519") return nullptr;
  std::string secret = bytes_member(jwk, "d");
  KeyPointer key(EVP_PKEY_new_raw_private_key_ex(nullptr, curve.c_str(), nullptr,
                                                 openssl::bytes_of(secret), secret.size()),
                 EVP_PKEY_free);
  cleanse(secret);
  if (key == nullptr) return nullptr;
  return key;  // OpenSSL computes the public part of it
}

}  // namespace

std::shared_ptr<EVP_PKEY> private_key(const Json& jwk) {
  const openssl::ErrorScope errors;
  const std::optional<std::string> type = json_string(jwk, "kty");
  if (type == "RSA") return rsa(jwk);
  if (type == "EC") return ec(jwk);
  if (type == "OKP") return okp(jwk);
  return nullptr;
}

}  // namespace oidc
