#include <nlohmann/json.hpp>

#include "ngx/upstream_request.h"

namespace oidc::ngx {
namespace {

// Of a token that came from the token endpoint itself; nullopt for an opaque one.
std::optional<Json> claims_of(const StoredToken& token) {
  const std::optional<std::string> payload = token.payload();
  if (!payload) return std::nullopt;
  Result<Json> claims = parse_json_object(*payload);
  if (!claims) return std::nullopt;
  return std::move(*claims);
}

}  // namespace

std::optional<std::string> session_claim(const OpenSession& session, const ClaimPath& path) {
  const SessionRecord& record = session.record();
  for (const StoredToken& token : {record.id_token, StoredToken(record.access_token)}) {
    const std::optional<Json> claims = claims_of(token);
    if (!claims) continue;
    const Json* value = path.find(*claims);
    if (value != nullptr && !value->is_null()) return claim_text(*value);
  }
  return std::nullopt;
}

}  // namespace oidc::ngx
