// JSON Object Signing (RFC 7515, 7517, 7518, 7519, 8037): parse, select a key, verify. No policy
// about claims; that is proto/'s.
#pragma once

#include <cstdint>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "oidc/json.h"
#include "oidc/result.h"
#include "oidc/secret.h"

struct evp_pkey_st;

namespace oidc {

// "none" is not among them and can never be accepted.
enum class Alg : std::uint8_t {
  RS256, RS384, RS512, PS256, PS384, PS512, ES256, ES384, ES512,
  EdDSA, Ed25519,  // RFC 8037; RFC 9864's fully specified name for the same on that curve
  HS256, HS384, HS512,
};

[[nodiscard]] std::optional<Alg> parse_alg(std::string_view name) noexcept;
[[nodiscard]] std::string_view to_string(Alg alg) noexcept;

class AlgSet {
 public:
  constexpr AlgSet() = default;
  constexpr void add(Alg alg) { bits_ |= bit(alg); }
  [[nodiscard]] constexpr bool has(Alg alg) const { return (bits_ & bit(alg)) != 0; }
  [[nodiscard]] constexpr bool empty() const { return bits_ == 0; }
  [[nodiscard]] constexpr AlgSet intersect(AlgSet other) const;

 private:
  static constexpr std::uint32_t bit(Alg alg) { return 1U << static_cast<unsigned>(alg); }
  std::uint32_t bits_ = 0;
};

constexpr AlgSet AlgSet::intersect(AlgSet other) const {
  other.bits_ &= bits_;
  return other;
}

enum class KeyType : std::uint8_t { rsa, ec_p256, ec_p384, ec_p521, ed25519, ed448 };

// One public key of a JWK Set. Immutable; copies share the key.
struct Jwk {
  KeyType type;
  std::string kid;          // empty: none
  std::optional<Alg> alg;   // when the key says so
  std::shared_ptr<evp_pkey_st> key;
  std::string json;         // its members that are public and about the key, without the chain

  // RFC 7518: the algorithm belongs to the key's type and curve, and to its "alg" if it has one.
  [[nodiscard]] bool fits(Alg alg_wanted) const noexcept;
};

class KeySet {
 public:
  // A JWK Set document. Keys that are broken, private-only, symmetric, for encryption
  // (use: enc, or key_ops without verify), RSA under 2048 bits, or of unknown type are skipped:
  // RFC 7517 section 5. Fails with Errc::jwks_invalid when it is no JWK Set at all.
  [[nodiscard]] static Result<KeySet> parse(std::string_view json);

  [[nodiscard]] const std::vector<Jwk>& keys() const { return keys_; }
  // Keys to try for this header, at most four: those with this kid that fit the algorithm; without
  // a kid in the header all that fit; keys without a kid count when no key has that kid.
  [[nodiscard]] std::vector<const Jwk*> candidates(Alg alg, std::string_view kid) const;
  [[nodiscard]] bool has_kid(std::string_view kid) const;

 private:
  std::vector<Jwk> keys_;
};

// A compact JWS whose payload is a JSON object, parsed and not verified.
struct Jwt {
  Alg alg;
  std::string kid;
  std::string typ;        // as given; empty: none
  Json header;
  Json claims;
  std::string signing_input;  // header.payload
  std::string signature;      // raw bytes
};

struct JwtLimits {
  std::size_t max_bytes = 64 * 1024;
};

// Fails with jwt_malformed, jwt_alg_none, jwt_alg_not_allowed (unknown name) or jwt_crit (any crit,
// or b64). The header's jwk, jku, x5u and x5c are never used.
[[nodiscard]] Result<Jwt> parse_jwt(std::string_view compact, const JwtLimits& limits = {});

// As it came.
[[nodiscard]] std::string compact_form(const Jwt& jwt);

// Verifies with a public key. The algorithm must fit the key.
// Fails with jwt_key_mismatch or jwt_signature.
[[nodiscard]] Result<void> verify_signature(const Jwt& jwt, const Jwk& key);
// HS256, HS384, HS512. The secret must be at least as long as the hash (RFC 7518 section 3.2).
[[nodiscard]] Result<void> verify_hmac(const Jwt& jwt, const Secret& secret);

// Tries the candidates of `keys`. jwt_key_unknown when there is none: the caller may fetch the key
// set again, once, within its budget.
[[nodiscard]] Result<void> verify_with_key_set(const Jwt& jwt, const KeySet& keys);
// The same, and which one it was; it lives as long as the set.
[[nodiscard]] Result<const Jwk*> verifying_key(const Jwt& jwt, const KeySet& keys);

}  // namespace oidc
