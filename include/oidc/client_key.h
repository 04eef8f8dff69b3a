// The private key of the client itself, with which it signs assertions (RFC 7523). Read at
// configuration; immutable afterwards.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "oidc/jose.h"
#include "oidc/json.h"
#include "oidc/result.h"

namespace oidc {

class ClientKey {
 public:
  // A private JWK (RFC 7517: RSA, EC P-256, P-384, P-521, Ed25519, Ed448) or a private key in PEM.
  // Fails with Errc::invalid_configuration; the detail says what is wrong and never quotes the key.
  [[nodiscard]] static Result<std::shared_ptr<const ClientKey>> parse(std::string_view text);

  // The JWK's kid, else the thumbprint (RFC 7638).
  [[nodiscard]] const std::string& kid() const noexcept { return public_.kid; }
  [[nodiscard]] bool fits(Alg alg) const noexcept { return public_.fits(alg); }
  // The JWK's own algorithm, else the usual one of the key's type.
  [[nodiscard]] Alg usual_alg() const noexcept;
  // What others need to verify: no private member.
  [[nodiscard]] const Json& public_jwk() const noexcept { return public_json_; }

  // The raw signature in the form of RFC 7518 section 3; `alg` fits.
  [[nodiscard]] std::string sign(Alg alg, std::string_view input) const;

 private:
  ClientKey(Jwk its_public, Json public_json, std::shared_ptr<evp_pkey_st> key)
      : public_(std::move(its_public)),
        public_json_(std::move(public_json)),
        key_(std::move(key)) {}

  Jwk public_;
  Json public_json_;
  std::shared_ptr<evp_pkey_st> key_;
};

// HS256, HS384, HS512 over `input`.
[[nodiscard]] std::string hmac_signature(Alg alg, std::string_view secret, std::string_view input);
// Bytes that the secret of an HMAC must have at least (RFC 7518 section 3.2); 0: not an HMAC.
[[nodiscard]] std::size_t hmac_secret_size(Alg alg) noexcept;

}  // namespace oidc
