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
  if (!record.introspection.empty()) {
    const Result<Json> said = parse_json_object(record.introspection);
    const Json* value = said ? path.find(*said) : nullptr;
    if (value != nullptr && !value->is_null()) return claim_text(*value);
  }
  // What only the provider was asked about has claims in its answer alone.
  const bool known = record.method != static_cast<std::uint8_t>(Method::introspection);
  const StoredToken access_token = known ? StoredToken(record.access_token) : StoredToken();
  for (const StoredToken& token : {record.id_token, access_token}) {
    const std::optional<Json> claims = claims_of(token);
    if (!claims) continue;
    const Json* value = path.find(*claims);
    if (value != nullptr && !value->is_null()) return claim_text(*value);
  }
  return std::nullopt;
}

}  // namespace oidc::ngx
