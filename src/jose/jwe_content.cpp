// How the content is encrypted (RFC 7518 section 5).
#include <array>

#include "jwe_parts.h"
#include "oidc/client_key.h"

namespace oidc {
namespace {

constexpr std::size_t kGcmNonce = 12;
constexpr std::size_t kGcmTag = 16;
constexpr std::size_t kCbcBlock = 16;

struct Kind {
  std::size_t key_size;
  const char* cipher;
  std::optional<Alg> mac;  // of CBC, whose first half of the key it takes
};

Kind kind_of(JweEnc enc) noexcept {
  switch (enc) {
    case JweEnc::A128GCM:
      return {16, "AES-128-GCM", std::nullopt};
    case JweEnc::A192GCM:
      return {24, "AES-192-GCM", std::nullopt};
    case JweEnc::A256GCM:
      break;
    case JweEnc::A128CBC_HS256:
      return {32, "AES-128-CBC", Alg::HS256};
    case JweEnc::A192CBC_HS384:
      return {48, "AES-192-CBC", Alg::HS384};
    case JweEnc::A256CBC_HS512:
      return {64, "AES-256-CBC", Alg::HS512};
  }
  return {32, "AES-256-GCM", std::nullopt};
}

struct Opening {
  openssl::Cipher cipher;
  openssl::CipherContext context;
};

Opening begin(const char* name, std::string_view key, std::string_view iv) {
  Opening opening{openssl::Cipher(EVP_CIPHER_fetch(nullptr, name, nullptr)),
                  openssl::CipherContext(EVP_CIPHER_CTX_new())};
  openssl::require(opening.cipher != nullptr && opening.context != nullptr &&
                       EVP_DecryptInit_ex2(opening.context.get(), opening.cipher.get(),
                                           openssl::bytes_of(key), openssl::bytes_of(iv),
                                           nullptr) == 1,
                   "content decryption");
  return opening;
}

// kMaxJwe bounds all sizes.
int count(std::string_view bytes) noexcept { return static_cast<int>(bytes.size()); }

std::optional<std::string> decrypt(EVP_CIPHER_CTX* context, std::string_view ciphertext) {
  std::string text(ciphertext.size() + kCbcBlock, '\0');
  auto* const out = reinterpret_cast<unsigned char*>(text.data());
  int size = 0;
  int rest = 0;
  if ((!ciphertext.empty() && EVP_DecryptUpdate(context, out, &size, openssl::bytes_of(ciphertext),
                                                count(ciphertext)) != 1) ||
      EVP_DecryptFinal_ex(context, out + size, &rest) != 1) {
    cleanse(text);  // what did not authenticate must not be used by mistake
    return std::nullopt;
  }
  text.resize(static_cast<std::size_t>(size) + static_cast<std::size_t>(rest));
  return text;
}

std::optional<std::string> open_gcm(const JweParts& parts, const Kind& kind, const Secret& key) {
  // RFC 7518 section 5.3: a shorter tag would be guessed.
  if (parts.iv.size() != kGcmNonce || parts.tag.size() != kGcmTag) return std::nullopt;
  const Opening opening = begin(kind.cipher, key.view(), parts.iv);
  std::string tag = parts.tag;
  int size = 0;
  openssl::require(EVP_DecryptUpdate(opening.context.get(), nullptr, &size,
                                     openssl::bytes_of(parts.protected_header),
                                     count(parts.protected_header)) == 1 &&
                       EVP_CIPHER_CTX_ctrl(opening.context.get(), EVP_CTRL_AEAD_SET_TAG,
                                           static_cast<int>(kGcmTag), tag.data()) == 1,
                   "content decryption");
  return decrypt(opening.context.get(), parts.ciphertext);
}

// Section 5.2.2: over the additional data, the IV, the ciphertext and the first one's length in bits.
std::string cbc_tag(const JweParts& parts, Alg mac, std::string_view key) {
  std::string input(parts.protected_header);
  input.append(parts.iv).append(parts.ciphertext);
  const std::uint64_t bits = parts.protected_header.size() * 8;
  for (int shift = 56; shift >= 0; shift -= 8) {
    input.push_back(static_cast<char>(bits >> shift & 0xff));
  }
  return hmac_signature(mac, key, input).substr(0, key.size());
}

std::optional<std::string> open_cbc(const JweParts& parts, const Kind& kind, const Secret& key) {
  if (parts.iv.size() != kCbcBlock || parts.ciphertext.empty() ||
      parts.ciphertext.size() % kCbcBlock != 0) {
    return std::nullopt;
  }
  const std::size_t half = key.size() / 2;
  const std::string_view mac_key = key.view().substr(0, half);
  // Before anything is decrypted: paddings of what is not authentic tell nothing.
  if (!constant_time_equal(cbc_tag(parts, *kind.mac, mac_key), parts.tag)) return std::nullopt;
  const Opening opening = begin(kind.cipher, key.view().substr(half), parts.iv);
  return decrypt(opening.context.get(), parts.ciphertext);
}

}  // namespace

std::size_t content_key_size(JweEnc enc) noexcept { return kind_of(enc).key_size; }

std::optional<std::string> open_content(const JweParts& parts, const Secret& key) {
  const openssl::ErrorScope errors;
  const Kind kind = kind_of(parts.enc);
  return kind.mac ? open_cbc(parts, kind, key) : open_gcm(parts, kind, key);
}

}  // namespace oidc
