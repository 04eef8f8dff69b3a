// The primitives that sessions and flows are built of, over OpenSSL 3. Failures of OpenSSL itself
// (exhausted memory, a broken provider) throw CryptoFailure: there is no safe way to go on, and the
// guard at the C boundary turns it into a 500.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>

#include "oidc/secret.h"

struct evp_mac_ctx_st;
struct evp_cipher_st;

namespace oidc {

class CryptoFailure : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

void random_bytes(std::span<unsigned char> out);
[[nodiscard]] std::string random_string(std::size_t bytes);  // raw bytes

using Sha256 = std::array<unsigned char, 32>;
[[nodiscard]] Sha256 sha256(std::string_view bytes);
[[nodiscard]] std::string_view as_view(const Sha256& digest) noexcept;
enum class Hash : std::uint8_t { sha256, sha384, sha512 };
[[nodiscard]] std::string digest(Hash hash, std::string_view bytes);

// Constant time in the contents; different lengths are unequal at once.
[[nodiscard]] bool constant_time_equal(std::string_view a, std::string_view b) noexcept;

// HMAC-SHA256 with its key schedule prepared once: 0.24 us a call instead of 1.25. Not for use by
// two threads at once (nginx workers have one).
class HmacKey {
 public:
  explicit HmacKey(std::string_view key);
  HmacKey(HmacKey&&) noexcept = default;
  HmacKey& operator=(HmacKey&&) noexcept = default;
  ~HmacKey() = default;

  [[nodiscard]] Sha256 sign(std::string_view message) const;
  // The pieces one after the other. Callers that join fields length-prefix them.
  [[nodiscard]] Sha256 sign(std::span<const std::string_view> pieces) const;

 private:
  struct Free {
    void operator()(evp_mac_ctx_st* context) const noexcept;
  };
  std::unique_ptr<evp_mac_ctx_st, Free> context_;
};

// HKDF-SHA256 (RFC 5869).
[[nodiscard]] Secret hkdf_extract(std::string_view salt, std::string_view key_material);
[[nodiscard]] Secret hkdf_expand(std::string_view prk, std::string_view info, std::size_t size);

// AES-256-GCM with a fresh random 96-bit nonce for each seal. Sealed form: nonce, ciphertext, tag.
inline constexpr std::size_t kAeadOverhead = 12 + 16;
[[nodiscard]] std::string aead_seal(std::string_view key32, std::string_view additional,
                                    std::string_view plaintext);
// nullopt when it does not open.
[[nodiscard]] std::optional<std::string> aead_open(std::string_view key32,
                                                   std::string_view additional,
                                                   std::string_view sealed);
// The hot path: opens into `out` (at least sealed.size() - kAeadOverhead bytes); the length, or -1.
[[nodiscard]] int aead_open_into(std::string_view key32, std::string_view additional,
                                 std::string_view sealed, std::span<unsigned char> out) noexcept;

// Appends a field with its length before it (32 bits, big endian), so that no two lists of fields
// have the same bytes.
void append_field(std::string& out, std::string_view field);

}  // namespace oidc
