#include <string>

#include "oidc/jose.h"
#include "require.h"

using oidc::fuzz::require;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  // Any signature will do: it is wrong, and finding that out must not hurt.
  static const oidc::Jwt kJwt = *oidc::parse_jwt("eyJhbGciOiJFUzI1NiJ9.e30.c2lnbmF0dXJl");

  const oidc::Result<oidc::KeySet> set = oidc::KeySet::parse(oidc::fuzz::text_of(data, size));
  if (!set) {
    require(set.error().code == oidc::Errc::jwks_invalid, "a refusal has its code");
    return 0;
  }
  for (const oidc::Jwk& key : set->keys()) {
    require(key.key != nullptr, "a key is there");
    require(!key.fits(oidc::Alg::HS256), "no public key is a secret");
    require(!key.alg || key.fits(*key.alg), "a key fits its own algorithm");
    require(key.kid.empty() || set->has_kid(key.kid), "a key is found by its kid");
  }
  require(set->candidates(oidc::Alg::ES256, "").size() <= 4, "at most four candidates");
  require(!oidc::verify_with_key_set(kJwt, *set), "a wrong signature stays wrong");
  return 0;
}
