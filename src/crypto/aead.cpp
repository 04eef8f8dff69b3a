#include <algorithm>
#include <limits>

#include "openssl.h"

namespace oidc {
namespace {

constexpr std::size_t kKeySize = 32;
constexpr std::size_t kNonceSize = 12;
constexpr std::size_t kTagSize = 16;
static_assert(kAeadOverhead == kNonceSize + kTagSize);

enum class Direction : int { open = 0, seal = 1 };

// A context that already has its cipher: setting only key and nonce allocates nothing.
openssl::CipherContext make_context(Direction direction) noexcept {
  static const openssl::Cipher kCipher(EVP_CIPHER_fetch(nullptr, "AES-256-GCM", nullptr));
  openssl::CipherContext context(EVP_CIPHER_CTX_new());
  if (context == nullptr || kCipher == nullptr ||
      EVP_CipherInit_ex2(context.get(), kCipher.get(), nullptr, nullptr,
                         static_cast<int>(direction), nullptr) != 1) {
    context.reset();
  }
  return context;
}

// nullptr when OpenSSL has none to give.
EVP_CIPHER_CTX* context_for(Direction direction) noexcept {
  static const openssl::CipherContext kOpening = make_context(Direction::open);
  static const openssl::CipherContext kSealing = make_context(Direction::seal);
  return direction == Direction::open ? kOpening.get() : kSealing.get();
}

// OpenSSL counts bytes in int.
bool countable(std::string_view bytes) noexcept {
  return bytes.size() <= static_cast<std::size_t>(std::numeric_limits<int>::max());
}

bool begin(EVP_CIPHER_CTX* context, Direction direction, std::string_view key32,
           const unsigned char* nonce, std::string_view additional) noexcept {
  int size = 0;
  return context != nullptr && key32.size() == kKeySize && countable(additional) &&
         EVP_CipherInit_ex2(context, nullptr, openssl::bytes_of(key32), nonce,
                            static_cast<int>(direction), nullptr) == 1 &&
         (additional.empty() ||
          EVP_CipherUpdate(context, nullptr, &size, openssl::bytes_of(additional),
                           static_cast<int>(additional.size())) == 1);
}

}  // namespace

std::string aead_seal(std::string_view key32, std::string_view additional,
                      std::string_view plaintext) {
  std::string out(plaintext.size() + kAeadOverhead, '\0');
  openssl::require(countable(out), "AEAD: too many bytes");
  auto* const nonce = reinterpret_cast<unsigned char*>(out.data());
  auto* const body = nonce + kNonceSize;
  auto* const tag = body + plaintext.size();
  random_bytes({nonce, kNonceSize});

  EVP_CIPHER_CTX* const context = context_for(Direction::seal);
  int size = 0;
  const bool sealed =
      begin(context, Direction::seal, key32, nonce, additional) &&
      (plaintext.empty() || EVP_CipherUpdate(context, body, &size, openssl::bytes_of(plaintext),
                                             static_cast<int>(plaintext.size())) == 1) &&
      EVP_CipherFinal_ex(context, tag, &size) == 1 &&
      EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_GET_TAG, kTagSize, tag) == 1;
  openssl::require(sealed, "AEAD seal");
  return out;
}

std::optional<std::string> aead_open(std::string_view key32, std::string_view additional,
                                     std::string_view sealed) {
  if (sealed.size() < kAeadOverhead) return std::nullopt;
  std::string out(sealed.size() - kAeadOverhead, '\0');
  const int size = aead_open_into(key32, additional, sealed,
                                  {reinterpret_cast<unsigned char*>(out.data()), out.size()});
  if (size < 0) return std::nullopt;
  return out;
}

int aead_open_into(std::string_view key32, std::string_view additional, std::string_view sealed,
                   std::span<unsigned char> out) noexcept {
  if (sealed.size() < kAeadOverhead || !countable(sealed)) return -1;
  const std::size_t body_size = sealed.size() - kAeadOverhead;
  if (out.size() < body_size) return -1;
  const unsigned char* const nonce = openssl::bytes_of(sealed);
  const unsigned char* const body = nonce + kNonceSize;
  std::array<unsigned char, kTagSize> tag;
  std::copy_n(body + body_size, kTagSize, tag.begin());

  EVP_CIPHER_CTX* const context = context_for(Direction::open);
  int size = 0;
  std::array<unsigned char, kTagSize> nothing;  // GCM's final step writes no bytes
  const bool opened =
      begin(context, Direction::open, key32, nonce, additional) &&
      (body_size == 0 ||
       EVP_CipherUpdate(context, out.data(), &size, body, static_cast<int>(body_size)) == 1) &&
      EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_SET_TAG, kTagSize, tag.data()) == 1 &&
      EVP_CipherFinal_ex(context, nothing.data(), &size) == 1;
  if (opened) return static_cast<int>(body_size);
  // Bytes that did not authenticate must not be used by mistake.
  if (body_size > 0) OPENSSL_cleanse(out.data(), body_size);
  ERR_clear_error();
  return -1;
}

}  // namespace oidc
