#include <vector>

#include "../crypto/openssl.h"
#include "oaep.h"
#include "oidc/base64url.h"
#include "oidc/jwe.h"
#include "private_jwk.h"
#include "public_members.h"

namespace oidc {
namespace {

constexpr int kSmallestModulus = 2048;
constexpr int kLargestModulus = 8192;  // each decryption with a larger one blocks for long

Error unusable(const char* what) { return {Errc::invalid_configuration, what}; }

bool is_edwards(const EVP_PKEY* key) {
  const int type = EVP_PKEY_get_base_id(key);
  return type == EVP_PKEY_ED25519 || type == EVP_PKEY_ED448;
}

// Whether the private and the public part belong together.
bool belongs_together(EVP_PKEY* key, const Json& jwk, const Json& its_public) {
  const openssl::ErrorScope errors;
  if (EVP_PKEY_get_base_id(key) == EVP_PKEY_RSA) {
    constexpr std::string_view kProbe = "0123456789abcdef";
    const std::string sealed = oaep_encrypt(key, OaepHash::sha256, kProbe);
    const std::optional<Secret> opened = oaep_decrypt(key, OaepHash::sha256, sealed);
    return opened && opened->equals(kProbe);
  }
  if (EVP_PKEY_get_base_id(key) == EVP_PKEY_X25519) {  // OpenSSL computes its public part
    return json_string(jwk, "x") == json_string(its_public, "x");
  }
  const openssl::KeyContext context(EVP_PKEY_CTX_new_from_pkey(nullptr, key, nullptr));
  openssl::require(context != nullptr, "key context");
  return EVP_PKEY_check(context.get()) == 1;
}

}  // namespace

bool DecryptionKey::is_one(std::string_view text) {
  const Result<Json> jwk = parse_json_object(text);
  return jwk && json_string(*jwk, "use") == "enc";
}

DecryptionKey::DecryptionKey(std::shared_ptr<EVP_PKEY> key, Json public_json)
    : key_(std::move(key)),
      public_json_(std::move(public_json)),
      kid_(json_string(public_json_, "kid").value_or("")) {
  if (const auto name = json_string(public_json_, "alg")) alg_ = parse_jwe_alg(*name);
}

Result<std::shared_ptr<const DecryptionKey>> DecryptionKey::parse(std::string_view text) {
  const openssl::ErrorScope errors;
  const Result<Json> jwk = parse_json_object(text);
  if (!jwk) return unusable("it is no JSON Web Key");
  std::shared_ptr<EVP_PKEY> key = private_key(*jwk);
  if (key == nullptr) return unusable("it is no private JSON Web Key of RSA, EC or OKP");
  const Json members = public_members(key.get());
  if (members.is_null() || is_edwards(key.get())) {
    return unusable("use: enc: RSA, P-256, P-384, P-521 or X25519 is expected");
  }
  const int bits = EVP_PKEY_get_bits(key.get());
  if (json_string(members, "kty") == "RSA" && (bits < kSmallestModulus || bits > kLargestModulus)) {
    return unusable("RSA keys for encryption need 2048 to 8192 bits");
  }
  if (!belongs_together(key.get(), *jwk, members)) {
    return unusable("its private and its public part do not belong together");
  }
  Json published = members;
  published["use"] = "enc";
  published["kid"] =
      json_string(*jwk, "kid").value_or(base64url_encode(as_view(sha256(members.dump()))));
  if (jwk->contains("alg")) {
    const std::string name = json_string(*jwk, "alg").value_or("");
    const std::optional<JweAlg> alg = parse_jwe_alg(name);
    if (!alg) {
      return unusable("use: enc: its \"alg\" must be RSA-OAEP, RSA-OAEP-256 or one of ECDH-ES");
    }
    published["alg"] = name;
  }
  std::shared_ptr<const DecryptionKey> made(
      new DecryptionKey(std::move(key), std::move(published)));
  if (made->alg_ && !made->fits(*made->alg_)) return unusable("its \"alg\" does not fit the key");
  return made;
}

bool DecryptionKey::fits(JweAlg alg) const noexcept {
  if (alg_ && *alg_ != alg) return false;
  const bool rsa = EVP_PKEY_get_base_id(key_.get()) == EVP_PKEY_RSA;
  return rsa == (alg == JweAlg::RSA_OAEP || alg == JweAlg::RSA_OAEP_256);
}

}  // namespace oidc
