// JSON Web Encryption (RFC 7516): opening what was encrypted to the client. Only the compact form,
// only with a key of ours that says that it is for encryption.
#pragma once

#include <cstdint>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "oidc/json.h"
#include "oidc/result.h"

struct evp_pkey_st;

namespace oidc {

// How the content's key came (RFC 7518 section 4). RSA1_5, passwords, shared secrets and `dir` are
// not among them and can never be accepted.
enum class JweAlg : std::uint8_t {
  RSA_OAEP, RSA_OAEP_256, ECDH_ES, ECDH_ES_A128KW, ECDH_ES_A192KW, ECDH_ES_A256KW,
};
// How the content is encrypted (section 5).
enum class JweEnc : std::uint8_t {
  A128GCM, A192GCM, A256GCM, A128CBC_HS256, A192CBC_HS384, A256CBC_HS512,
};

[[nodiscard]] std::optional<JweAlg> parse_jwe_alg(std::string_view name) noexcept;
[[nodiscard]] std::optional<JweEnc> parse_jwe_enc(std::string_view name) noexcept;
[[nodiscard]] std::string_view to_string(JweAlg alg) noexcept;
[[nodiscard]] std::string_view to_string(JweEnc enc) noexcept;

// What is accepted; nothing by default.
class JweAccepted {
 public:
  void add(JweAlg alg) noexcept { algs_ |= bit(alg); }
  void add(JweEnc enc) noexcept { encs_ |= bit(enc); }
  [[nodiscard]] bool has(JweAlg alg) const noexcept { return (algs_ & bit(alg)) != 0; }
  [[nodiscard]] bool has(JweEnc enc) const noexcept { return (encs_ & bit(enc)) != 0; }
  friend bool operator==(const JweAccepted&, const JweAccepted&) = default;

 private:
  static constexpr std::uint8_t bit(auto name) {
    return static_cast<std::uint8_t>(1U << static_cast<unsigned>(name));
  }
  std::uint8_t algs_ = 0, encs_ = 0;
};

// A private key of the client with which it decrypts. Read at configuration; immutable afterwards.
class DecryptionKey {
 public:
  // Whether the text is a JWK that says that it is for encryption (use: enc).
  [[nodiscard]] static bool is_one(std::string_view text);
  // RSA, EC P-256, P-384, P-521, X25519. Fails with Errc::invalid_configuration; the detail says what
  // is wrong and never quotes the key.
  [[nodiscard]] static Result<std::shared_ptr<const DecryptionKey>> parse(std::string_view text);

  // The JWK's kid, else the thumbprint (RFC 7638).
  [[nodiscard]] const std::string& kid() const noexcept { return kid_; }
  [[nodiscard]] bool fits(JweAlg alg) const noexcept;
  // What others need to encrypt: no private member.
  [[nodiscard]] const Json& public_jwk() const noexcept { return public_json_; }
  [[nodiscard]] evp_pkey_st* get() const noexcept { return key_.get(); }

 private:
  DecryptionKey(std::shared_ptr<evp_pkey_st> key, Json public_json);

  std::shared_ptr<evp_pkey_st> key_;
  Json public_json_;
  std::string kid_;
  std::optional<JweAlg> alg_;  // when the key says so
};
using DecryptionKeys = std::span<const std::shared_ptr<const DecryptionKey>>;

inline constexpr std::size_t kMaxJwe = 96 * 1024;

// Four dots: only a JWE in its compact form has them.
[[nodiscard]] bool looks_encrypted(std::string_view compact) noexcept;

// The content. What anybody can read off the header fails with jwe_malformed or jwe_not_allowed; all
// else with jwe_decryption alone, whatever it was (RFC 7516 section 11.5). The header's jwk, jku, x5u
// and x5c are never used.
//
// `uses`: where anybody may send one. So many private keys are used and no more, and none at all for a
// kid that nobody has.
struct JweUses {
  std::size_t left;
};
[[nodiscard]] Result<std::string> decrypt_jwe(std::string_view compact, DecryptionKeys keys,
                                              JweAccepted accepted, JweUses* uses = nullptr);

}  // namespace oidc
