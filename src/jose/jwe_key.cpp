// How the content's key is found (RFC 7518 section 4).
#include <openssl/ec.h>

#include <algorithm>

#include "jwe_parts.h"
#include "jwk.h"
#include "oaep.h"
#include "oidc/base64url.h"

namespace oidc {
namespace {

using KeyPointer = std::shared_ptr<EVP_PKEY>;

// Of key agreement: 0 when the agreed key is the content's own.
std::size_t wrapping_key_size(JweAlg alg) noexcept {
  switch (alg) {
    case JweAlg::ECDH_ES_A128KW:
      return 16;
    case JweAlg::ECDH_ES_A192KW:
      return 24;
    case JweAlg::ECDH_ES_A256KW:
      return 32;
    default:
      return 0;
  }
}

void append_number(std::string& out, std::size_t number) {
  for (const int shift : {24, 16, 8, 0}) out.push_back(static_cast<char>(number >> shift & 0xff));
}

// Concat KDF with SHA-256 (RFC 7518 section 4.6.2).
Secret derive_key(const Secret& agreed, std::string_view purpose, const JweParts& parts,
                  std::size_t size) {
  std::string info;
  for (const std::string_view field :
       {purpose, std::string_view(parts.party_u), std::string_view(parts.party_v)}) {
    append_number(info, field.size());
    info.append(field);
  }
  append_number(info, size * 8);
  Secret key = Secret::of_size(size);
  std::size_t done = 0;
  for (std::size_t round = 1; done < size; ++round) {
    std::string input;
    input.reserve(4 + agreed.size() + info.size());
    append_number(input, round);
    input.append(agreed.view()).append(info);
    Sha256 block = sha256(input);
    cleanse(input);
    const std::size_t part = std::min(block.size(), size - done);
    std::copy_n(block.begin(), part, key.data() + done);
    OPENSSL_cleanse(block.data(), block.size());
    done += part;
  }
  return key;
}

std::optional<Secret> by_agreement(const JweParts& parts, const DecryptionKey& key) {
  const std::optional<Secret> agreed = agreed_secret(key.get(), parts.ephemeral);
  if (!agreed) return std::nullopt;
  const std::size_t wrapping = wrapping_key_size(parts.alg);
  if (wrapping == 0) {
    if (!parts.encrypted_key.empty()) return std::nullopt;
    return derive_key(*agreed, to_string(parts.enc), parts, content_key_size(parts.enc));
  }
  return unwrap_key(derive_key(*agreed, to_string(parts.alg), parts, wrapping),
                    parts.encrypted_key);
}

// Only a point on the key's own curve: others would give the key away, bit by bit.
KeyPointer ephemeral_key(EVP_PKEY* own, const Json& ephemeral) {
  if (!ephemeral.is_object() || ephemeral.contains("d")) return nullptr;
  if (EVP_PKEY_get_base_id(own) == EVP_PKEY_X25519) {
    if (json_string(ephemeral, "kty") != "OKP" || json_string(ephemeral, "crv") != "X25519") {
      return nullptr;
    }
    const Result<std::string> x = base64url_decode(json_string(ephemeral, "x").value_or(""));
    if (!x) return nullptr;
    return {EVP_PKEY_new_raw_public_key_ex(nullptr, "X25519", nullptr, openssl::bytes_of(*x),
                                           x->size()),
            EVP_PKEY_free};
  }
  if (json_string(ephemeral, "kty") != "EC") return nullptr;
  Json point = Json::object();
  for (const char* name : {"kty", "crv", "x", "y"}) {
    point[name] = json_string(ephemeral, name).value_or("");
  }
  const std::optional<Jwk> key = parse_jwk(point);
  if (!key || EVP_PKEY_parameters_eq(own, key->key.get()) != 1) return nullptr;
  return key->key;
}

const char* wrap_cipher(std::size_t key_size) noexcept {
  return key_size == 16 ? "AES-128-WRAP" : key_size == 24 ? "AES-192-WRAP" : "AES-256-WRAP";
}

}  // namespace

std::optional<Secret> agreed_secret(EVP_PKEY* own, const Json& ephemeral) {
  const openssl::ErrorScope errors;
  const KeyPointer peer = ephemeral_key(own, ephemeral);
  if (peer == nullptr) return std::nullopt;
  const openssl::KeyContext context(EVP_PKEY_CTX_new_from_pkey(nullptr, own, nullptr));
  std::size_t size = 0;
  if (context == nullptr || EVP_PKEY_derive_init(context.get()) != 1 ||
      EVP_PKEY_derive_set_peer(context.get(), peer.get()) != 1 ||
      EVP_PKEY_derive(context.get(), nullptr, &size) != 1) {
    return std::nullopt;
  }
  Secret agreed = Secret::of_size(size);
  // Fails where X25519 gives nothing but zeros.
  if (EVP_PKEY_derive(context.get(), agreed.data(), &size) != 1 || size != agreed.size()) {
    return std::nullopt;
  }
  return agreed;
}

std::optional<Secret> unwrap_key(const Secret& with, std::string_view wrapped) {
  constexpr std::size_t kBlock = 8;
  constexpr std::size_t kMost = 64 + kBlock;
  if (wrapped.size() < 3 * kBlock || wrapped.size() > kMost || wrapped.size() % kBlock != 0) {
    return std::nullopt;
  }
  const openssl::ErrorScope errors;
  const openssl::Cipher cipher(EVP_CIPHER_fetch(nullptr, wrap_cipher(with.size()), nullptr));
  const openssl::CipherContext context(EVP_CIPHER_CTX_new());
  openssl::require(cipher != nullptr && context != nullptr, "key wrap");
  EVP_CIPHER_CTX_set_flags(context.get(), EVP_CIPHER_CTX_FLAG_WRAP_ALLOW);
  openssl::require(EVP_DecryptInit_ex2(context.get(), cipher.get(), with.bytes().data(), nullptr,
                                       nullptr) == 1,
                   "key wrap");
  Secret room = Secret::of_size(kMost + kBlock);
  int size = 0;
  if (EVP_DecryptUpdate(context.get(), room.data(), &size, openssl::bytes_of(wrapped),
                        static_cast<int>(wrapped.size())) != 1 ||
      size <= 0) {
    return std::nullopt;
  }
  return Secret(room.view().substr(0, static_cast<std::size_t>(size)));
}

std::optional<Secret> content_key(const JweParts& parts, const DecryptionKey& key) {
  std::optional<Secret> found;
  if (parts.alg == JweAlg::RSA_OAEP || parts.alg == JweAlg::RSA_OAEP_256) {
    const OaepHash hash = parts.alg == JweAlg::RSA_OAEP ? OaepHash::sha1 : OaepHash::sha256;
    found = oaep_decrypt(key.get(), hash, parts.encrypted_key);
  } else {
    found = by_agreement(parts, key);
  }
  if (found && found->size() != content_key_size(parts.enc)) found.reset();
  return found;
}

}  // namespace oidc
