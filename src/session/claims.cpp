#include "oidc/claims.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <optional>

#include "oidc/settings.h"

namespace oidc {

namespace {

bool was_made_by(const SessionRecord& record, Method method) noexcept {
  return record.method == static_cast<std::uint8_t>(method);
}

}  // namespace

bool is_access_token_known(const SessionRecord& record) noexcept {
  return !was_made_by(record, Method::introspection) && !was_made_by(record, Method::userinfo);
}

std::string_view userinfo_of(const SessionRecord& record) noexcept {
  const bool has_it = was_made_by(record, Method::authorization_code) ||
                      was_made_by(record, Method::userinfo);
  return has_it ? record.introspection : std::string_view();
}

std::string_view introspection_of(const SessionRecord& record) noexcept {
  return userinfo_of(record).empty() ? record.introspection : std::string_view();
}

Claims::Claims(const SessionRecord& record) {
  const bool session = was_made_by(record, Method::authorization_code);
  if (!session && !record.introspection.empty()) add(record.introspection);
  if (is_access_token_known(record)) {
    if (const auto payload = StoredToken(record.access_token).payload()) add(*payload);
  }
  // One that the userinfo endpoint judged was verified here before; what it is for is asked of the answer.
  if (was_made_by(record, Method::userinfo)) {
    if (const auto payload = StoredToken(record.access_token).payload()) add(*payload, true);
  }
  if (const auto payload = record.id_token.payload()) add(*payload);
  if (session && !record.introspection.empty()) add(record.introspection);
  if (record.scope.empty()) return;
  Json answer = Json::object();
  answer["scope"] = std::string(record.scope);
  documents_.push_back(std::move(answer));
}

Claims::~Claims() = default;

void Claims::add(std::string_view document, bool contained_only) {
  Result<Json> parsed = parse_json_object(document);
  if (parsed) {
    (contained_only ? contained_ : documents_).push_back(std::move(*parsed));
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
  const auto has_it = [&path](const Json& document) { return path.find(document) != nullptr; };
  return std::any_of(documents_.begin(), documents_.end(), has_it) ||
         std::any_of(contained_.begin(), contained_.end(), has_it);
}

bool Claims::is_elsewhere(const ClaimPath& path) const {
  const std::string& name = path.names().front();
  return std::any_of(documents_.begin(), documents_.end(), [&name](const Json& document) {
    const auto names = document.find("_claim_names");
    if (names != document.end() && names->is_object() && names->contains(name)) return true;
    return name == "groups" && (json_bool(document, "hasgroups").value_or(false) ||
                                json_string(document, "hasgroups") == "true");
  });
}

}  // namespace oidc
