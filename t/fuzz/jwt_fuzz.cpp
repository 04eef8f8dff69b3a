#include <string>

#include "oidc/base64url.h"
#include "oidc/jose.h"
#include "require.h"

using oidc::fuzz::require;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const oidc::KeySet kKeys = *oidc::KeySet::parse(
      R"({"keys":[{"kty":"EC","kid":"ec","crv":"P-256",
          "x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",
          "y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"},
         {"kty":"OKP","kid":"ed","crv":"Ed25519",
          "x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}]})");
  static const oidc::Secret kSecret(std::string(64, 's'));

  const std::string_view text = oidc::fuzz::text_of(data, size);
  const oidc::Result<oidc::Jwt> jwt = oidc::parse_jwt(text);
  if (!jwt) return 0;
  require(jwt->claims.is_object() && jwt->header.is_object(), "both parts are objects");
  require(jwt->signing_input + "." + oidc::base64url_encode(jwt->signature) == text,
          "a token has one spelling");
  static_cast<void>(oidc::verify_with_key_set(*jwt, kKeys));
  static_cast<void>(oidc::verify_hmac(*jwt, kSecret));
  return 0;
}
