#include <algorithm>

#include "oidc/authorization.h"
#include "oidc/base64url.h"
#include "oidc/client_auth.h"
#include "oidc/crypto.h"

namespace oidc {

std::string make_code_verifier() { return base64url_encode(random_string(32)); }

std::string make_nonce() { return base64url_encode(random_string(16)); }

std::string code_challenge_s256(std::string_view code_verifier) {
  const Sha256 hash = sha256(code_verifier);
  return base64url_encode(as_view(hash));
}

Result<bool> use_pkce(const Settings& settings, const ProviderMetadata& metadata) {
  const Toggle wanted = settings.authorization.pkce;
  if (wanted == Toggle::off) return false;
  const auto& offered = metadata.code_challenge_methods;
  if (offered && !offered->empty()) {
    if (std::find(offered->begin(), offered->end(), "S256") != offered->end()) return true;
    return Error{Errc::pkce_unsupported, "code_challenge_methods_supported lacks S256"};
  }
  const bool public_client = settings.client.secret.empty() || is_public(settings.client);
  return wanted == Toggle::on || public_client || !settings.provider.discover;
}

}  // namespace oidc
