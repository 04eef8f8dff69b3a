#include "oidc/introspection.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "oidc/time.h"

namespace oidc {
namespace {

constexpr std::string_view kApplication = "application/";

Error invalid(std::string what) { return {Errc::introspection_invalid, std::move(what)}; }

Error status_error(int status) {
  const std::string text = "status " + std::to_string(status);
  if (status >= 500 || status == 429) return {Errc::provider_overloaded, text};
  if (status == 401 || status == 403) {
    return invalid(std::string("the endpoint refuses this client: ").append(text));
  }
  return invalid(text);
}

// RFC 7662 section 2.2.
Result<void> check_active(const Json& members, bool active_required) {
  if (!has_member(members, "active")) {
    if (active_required) return invalid("no active");
    return {};
  }
  const std::optional<bool> active = json_bool(members, "active");
  if (!active) return invalid("active is not true or false");
  if (!*active) return Errc::token_inactive;
  return {};
}

// As a media type: without case, and with or without "application/" (RFC 7515 section 4.1.9).
bool is_introspection_type(std::string_view typ) {
  const auto same = [typ](std::string_view wanted) {
    return std::equal(typ.begin(), typ.end(), wanted.begin(), wanted.end(), [](char a, char b) {
      return (a >= 'A' && a <= 'Z' ? static_cast<char>(a + 32) : a) == b;
    });
  };
  return same(kSignedIntrospection) || same(kSignedIntrospection.substr(kApplication.size()));
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
  Result<void> active = check_active(*json, active_required);
  if (!active) return std::move(active).error();
  return json;
}

Result<Jwt> read_signed_introspection(const HttpResponse& response) {
  if (response.status != 200) return status_error(response.status);
  if (response.content_type != kSignedIntrospection) return invalid("it is not signed");
  Result<Jwt> jwt = parse_jwt(response.body);
  if (!jwt) return invalid(std::string(info(jwt.error().code).code));
  return jwt;
}

Result<Json> check_signed_introspection(const Jwt& jwt, const IntrospectionExpectations& expected,
                                        bool active_required) {
  // Section 8.1: no other JWT of the provider's is an answer, and this one is no other JWT.
  if (!is_introspection_type(jwt.typ)) return invalid("its typ is not token-introspection+jwt");
  if (json_string(jwt.claims, "iss") != expected.issuer) return invalid("its iss is another issuer");
  const auto audiences = json_strings(jwt.claims, "aud");
  const bool ours = audiences && std::find(audiences->begin(), audiences->end(),
                                           expected.client_id) != audiences->end();
  if (!ours) return invalid("its aud is not this client");
  const auto iat = numeric_date(jwt.claims, "iat");
  if (!iat || *iat > add_saturated(expected.now, expected.leeway)) return invalid("its iat");
  if (has_member(jwt.claims, "exp")) {
    const auto exp = numeric_date(jwt.claims, "exp");
    if (!exp || add_saturated(*exp, expected.leeway) <= expected.now) return invalid("its exp");
  }
  const auto members = jwt.claims.find("token_introspection");
  if (members == jwt.claims.end() || !members->is_object()) {
    return invalid("no token_introspection");
  }
  Result<void> active = check_active(*members, active_required);
  if (!active) return std::move(active).error();
  return *members;
}

}  // namespace oidc
