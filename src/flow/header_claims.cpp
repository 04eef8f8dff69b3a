#include <nlohmann/json.hpp>

#include "oidc/claims.h"
#include "oidc/prepared_headers.h"
#include "oidc/presented_token.h"

namespace oidc {

HeaderClaims::HeaderClaims(const SessionRecord& record) {
  const bool token = is_token(record);
  if (token) add(record.introspection);
  if (const auto payload = record.id_token.payload()) add(*payload);
  if (is_access_token_known(record)) {
    if (const auto payload = StoredToken(record.access_token).payload()) add(*payload);
  }
  if (!token) add(record.introspection);
}

HeaderClaims::~HeaderClaims() = default;

void HeaderClaims::add(std::string_view document) {
  if (document.empty()) return;
  Result<Json> parsed = parse_json_object(document);
  if (parsed) documents_.push_back(std::move(*parsed));
}

const Json* HeaderClaims::find(const ClaimPath& path) const {
  for (const Json& document : documents_) {
    const Json* value = path.find(document);
    if (value != nullptr && !value->is_null()) return value;
  }
  return nullptr;
}

std::optional<std::string> session_claim(const OpenSession& session, const ClaimPath& path) {
  const HeaderClaims claims(session.record());
  const Json* value = claims.find(path);
  if (value == nullptr) return std::nullopt;
  return claim_text(*value);
}

}  // namespace oidc
