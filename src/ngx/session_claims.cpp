#include <nlohmann/json.hpp>

#include "ngx/upstream_request.h"
#include "oidc/base64url.h"

namespace oidc::ngx {
namespace {

// The payload of a token that came from the token endpoint itself; nullopt for an opaque one.
std::optional<Json> payload_of(std::string_view token) {
  const std::size_t first = token.find('.');
  if (first == std::string_view::npos) return std::nullopt;
  const std::size_t second = token.find('.', first + 1);
  if (second == std::string_view::npos) return std::nullopt;
  const Result<std::string> payload =
      base64url_decode(token.substr(first + 1, second - first - 1));
  if (!payload) return std::nullopt;
  Result<Json> claims = parse_json_object(*payload);
  if (!claims) return std::nullopt;
  return std::move(*claims);
}

}  // namespace

std::optional<std::string> session_claim(const OpenSession& session, const ClaimPath& path) {
  for (const std::string_view token :
       {session.record().id_token, session.record().access_token}) {
    const std::optional<Json> claims = payload_of(token);
    if (!claims) continue;
    const Json* value = path.find(*claims);
    if (value != nullptr && !value->is_null()) return claim_text(*value);
  }
  return std::nullopt;
}

}  // namespace oidc::ngx
