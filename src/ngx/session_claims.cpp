#include <nlohmann/json.hpp>

#include "ngx/upstream_request.h"
#include "oidc/claims.h"
#include "oidc/presented_token.h"

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

std::optional<std::string> claim_in(const Json& document, const ClaimPath& path) {
  const Json* value = path.find(document);
  if (value == nullptr || value->is_null()) return std::nullopt;
  return claim_text(*value);
}

std::optional<std::string> claim_in_answer(const SessionRecord& record, const ClaimPath& path) {
  if (record.introspection.empty()) return std::nullopt;
  const Result<Json> said = parse_json_object(record.introspection);
  return said ? claim_in(*said, path) : std::nullopt;
}

}  // namespace

std::optional<std::string> session_claim(const OpenSession& session, const ClaimPath& path) {
  const SessionRecord& record = session.record();
  const bool token = is_token(record);
  // Of a token that the provider was asked about its answer comes first; of a session userinfo last.
  if (token) {
    if (auto claim = claim_in_answer(record, path)) return claim;
  }
  const StoredToken access_token =
      is_access_token_known(record) ? StoredToken(record.access_token) : StoredToken();
  for (const StoredToken& each : {record.id_token, access_token}) {
    const std::optional<Json> claims = claims_of(each);
    if (!claims) continue;
    if (auto claim = claim_in(*claims, path)) return claim;
  }
  return token ? std::nullopt : claim_in_answer(record, path);
}

}  // namespace oidc::ngx
