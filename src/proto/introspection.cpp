#include "oidc/introspection.h"

#include <nlohmann/json.hpp>

#include "oidc/time.h"

namespace oidc {
namespace {

Error invalid(std::string what) { return {Errc::introspection_invalid, std::move(what)}; }

Error status_error(int status) {
  const std::string text = "status " + std::to_string(status);
  if (status >= 500 || status == 429) return {Errc::provider_overloaded, text};
  if (status == 401 || status == 403) {
    return invalid(std::string("the endpoint refuses this client: ").append(text));
  }
  return invalid(text);
}

}  // namespace

Result<Json> read_introspection(const HttpResponse& response, bool active_required) {
  if (response.status != 200) return status_error(response.status);
  if (response.content_type != "application/json") {
    return invalid("the content type is not application/json");
  }
  JsonLimits limits;
  limits.max_bytes = kMaxIntrospection;
  Result<Json> json = parse_json_object(response.body, limits);
  if (!json) return invalid(json.error().detail);
  if (has_member(*json, "active")) {
    const std::optional<bool> active = json_bool(*json, "active");
    if (!active) return invalid("active is not true or false");
    if (!*active) return Errc::token_inactive;
  } else if (active_required) {
    return invalid("no active");
  }
  return json;
}

}  // namespace oidc
