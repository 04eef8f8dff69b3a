#include "oidc/client_key.h"

#include <openssl/bio.h>
#include <openssl/hmac.h>
#include <openssl/pem.h>

#include <array>
#include <vector>

#include "hashes.h"
#include "jwk.h"
#include "oidc/base64url.h"
#include "private_jwk.h"
#include "public_members.h"

namespace oidc {
namespace {

using KeyPointer = std::shared_ptr<EVP_PKEY>;

Error unusable(std::string what) {
  return {Errc::invalid_configuration, std::move(what)};
}

// Never asks on the terminal: an encrypted key is an error.
int no_passphrase(char*, int, int, void*) noexcept {
  return -1;
}

KeyPointer from_pem(std::string_view text) {
  const std::unique_ptr<BIO, openssl::Free<BIO_free_all>> bio(
      BIO_new_mem_buf(text.data(), static_cast<int>(text.size())));
  openssl::require(bio != nullptr, "memory");
  return {PEM_read_bio_PrivateKey(bio.get(), nullptr, no_passphrase, nullptr), EVP_PKEY_free};
}

// RFC 7518 section 3.4: r and s, each in the curve's full length.
std::string raw_ecdsa(std::string_view der, std::size_t half) {
  const unsigned char* at = openssl::bytes_of(der);
  const openssl::EcdsaSignature parsed(
      d2i_ECDSA_SIG(nullptr, &at, static_cast<long>(der.size())));
  openssl::require(parsed != nullptr, "ECDSA signature");
  std::string raw(2 * half, '\0');
  auto* const out = reinterpret_cast<unsigned char*>(raw.data());
  const int size = static_cast<int>(half);
  openssl::require(BN_bn2binpad(ECDSA_SIG_get0_r(parsed.get()), out, size) == size &&
                       BN_bn2binpad(ECDSA_SIG_get0_s(parsed.get()), out + half, size) == size,
                   "ECDSA signature");
  return raw;
}

// Whether the private and the public part belong together, by trying.
bool belongs_together(const ClientKey& key, const Jwk& its_public) {
  Jwt probe;
  probe.alg = key.usual_alg();
  probe.signing_input = "probe";
  probe.signature = key.sign(probe.alg, probe.signing_input);
  return static_cast<bool>(verify_signature(probe, its_public));
}

}  // namespace

Result<std::shared_ptr<const ClientKey>> ClientKey::parse(std::string_view text) {
  const openssl::ErrorScope errors;
  const bool pem = text.find("-----BEGIN") != std::string_view::npos;
  KeyPointer key;
  Json described = Json::object();
  if (pem) {
    key = from_pem(text);
    if (key == nullptr) return unusable("it holds no unencrypted private key in PEM");
  } else {
    Result<Json> jwk = parse_json_object(text);
    if (!jwk) return unusable("it is neither PEM nor a JSON Web Key");
    key = private_key(*jwk);
    if (key == nullptr) return unusable("it is no private JSON Web Key of RSA, EC or OKP");
    for (const char* name : {"kid", "alg"}) {
      if (const auto value = json_string(*jwk, name)) described[name] = *value;
    }
  }
  Json members = public_members(key.get());
  if (members.is_null() || json_string(members, "crv") == "X25519") return unusable("keys of this type sign nothing here");
  if (!described.contains("kid")) {
    described["kid"] = base64url_encode(as_view(sha256(members.dump())));  // members are sorted
  }
  described["use"] = "sig";
  described.update(members);
  std::optional<Jwk> its_public = parse_jwk(described);
  if (!its_public) {
    return unusable("RSA keys need 2048 bits at least, and a JWK's \"alg\" must fit its key");
  }
  std::shared_ptr<const ClientKey> made(
      new ClientKey(*its_public, std::move(described), std::move(key)));
  if (!belongs_together(*made, *its_public)) {
    return unusable("its private and its public part do not belong together");
  }
  return made;
}

Alg ClientKey::usual_alg() const noexcept {
  if (public_.alg) return *public_.alg;
  switch (public_.type) {
    case KeyType::ec_p256:
      return Alg::ES256;
    case KeyType::ec_p384:
      return Alg::ES384;
    case KeyType::ec_p521:
      return Alg::ES512;
    case KeyType::ed25519:
    case KeyType::ed448:
      return Alg::EdDSA;
    case KeyType::rsa:
      break;
  }
  return Alg::RS256;
}

std::string ClientKey::sign(Alg alg, std::string_view input) const {
  const openssl::ErrorScope errors;
  const bool edwards = public_.type == KeyType::ed25519 || public_.type == KeyType::ed448;
  const EVP_MD* const hash = edwards ? nullptr : openssl::message_digest(hash_of(alg));
  const openssl::DigestContext context(EVP_MD_CTX_new());
  EVP_PKEY_CTX* key_context = nullptr;
  openssl::require(context != nullptr && EVP_DigestSignInit(context.get(), &key_context, hash,
                                                            nullptr, key_.get()) == 1,
                   "signature");
  if (is_pss(alg)) openssl::require(use_pss(key_context, hash), "signature");
  std::size_t size = 0;
  const unsigned char* const bytes = openssl::bytes_of(input);
  openssl::require(EVP_DigestSign(context.get(), nullptr, &size, bytes, input.size()) == 1,
                   "signature");
  std::string signature(size, '\0');
  openssl::require(EVP_DigestSign(context.get(), reinterpret_cast<unsigned char*>(signature.data()),
                                  &size, bytes, input.size()) == 1,
                   "signature");
  signature.resize(size);
  const bool ecdsa = public_.type != KeyType::rsa && !edwards;
  return ecdsa ? raw_ecdsa(signature, ecdsa_half(public_.type)) : signature;
}

std::size_t hmac_secret_size(Alg alg) noexcept {
  if (!is_hmac(alg)) return 0;
  return alg == Alg::HS256 ? 32 : alg == Alg::HS384 ? 48 : 64;
}

std::string hmac_signature(Alg alg, std::string_view secret, std::string_view input) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> mac;
  unsigned size = 0;
  openssl::require(HMAC(openssl::message_digest(hash_of(alg)), secret.data(),
                        static_cast<int>(secret.size()), openssl::bytes_of(input), input.size(),
                        mac.data(), &size) != nullptr,
                   "HMAC");
  return {reinterpret_cast<const char*>(mac.data()), size};
}

}  // namespace oidc
