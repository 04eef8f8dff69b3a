#include "decrypt.h"

namespace oidc {

Result<std::string> signed_part(const Settings& settings, std::string token,
                                bool must_be_encrypted) {
  if (looks_encrypted(token)) {
    return decrypt_jwe(token, settings.client.decryption_keys, settings.encryption.accepted);
  }
  if (must_be_encrypted) return Error{Errc::jwe_missing, "oidc_encryption_required"};
  return token;
}

Result<HttpResponse> decrypted(const Settings& settings, HttpResponse response,
                               std::string_view jwt_type, bool must_be_encrypted) {
  if (response.status != 200) return response;
  if (response.content_type != jwt_type) {
    if (must_be_encrypted) return Error{Errc::jwe_missing, "oidc_encryption_required"};
    return response;
  }
  Result<std::string> inner = signed_part(settings, std::move(response.body), must_be_encrypted);
  if (!inner) return std::move(inner).error();
  response.body = std::move(*inner);
  return response;
}

}  // namespace oidc
