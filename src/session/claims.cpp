#include "oidc/claims.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <optional>

#include "oidc/settings.h"

namespace oidc {

namespace {

// Of a token that the provider was asked about only its answer counts: nobody here has looked at a
// signature.
bool is_access_token_known(const SessionRecord& record) {
  return record.method != static_cast<std::uint8_t>(Method::introspection);
}

}  // namespace

Claims::Claims(const SessionRecord& record) {
  if (!record.introspection.empty()) add(record.introspection);
  if (is_access_token_known(record)) {
    if (const auto payload = StoredToken(record.access_token).payload()) add(*payload);
  }
  if (const auto payload = record.id_token.payload()) add(*payload);
  if (record.scope.empty()) return;
  Json answer = Json::object();
  answer["scope"] = std::string(record.scope);
  documents_.push_back(std::move(answer));
}

Claims::~Claims() = default;

void Claims::add(std::string_view document) {
  Result<Json> parsed = parse_json_object(document);
  if (parsed) {
    documents_.push_back(std::move(*parsed));
  } else if (document.starts_with('{')) {  // else an opaque token with two dots in it
    unreadable_ = true;
  }
}

const Json* Claims::find(const ClaimPath& path) const {
  for (const Json& document : documents_) {
    const Json* value = path.find(document);
    if (value != nullptr && !value->is_null()) return value;
  }
  return nullptr;
}

bool Claims::contains(const ClaimPath& path) const {
  return std::any_of(documents_.begin(), documents_.end(), [&path](const Json& document) {
    return path.find(document) != nullptr;
  });
}

}  // namespace oidc
