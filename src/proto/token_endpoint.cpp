#include "oidc/token_endpoint.h"

#include <algorithm>
#include <cctype>
#include <nlohmann/json.hpp>

#include "oidc/json.h"

namespace oidc {
namespace {

bool equals_ignoring_case(std::string_view a, std::string_view b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](unsigned char x, unsigned char y) {
    return std::tolower(x) == std::tolower(y);
  });
}

// RFC 6749 section 5.2. The provider's description never leaves this function.
Error token_error(const HttpResponse& response) {
  const std::string status = "status " + std::to_string(response.status);
  if (response.status >= 500 || response.status == 429) {
    return {Errc::provider_overloaded, status};
  }
  if (response.status != 400 && response.status != 401 && response.status != 403) {
    return {Errc::provider_status, status};
  }
  const Result<Json> json = parse_json_object(response.body);
  const std::string error = json ? json_string(*json, "error").value_or("") : "";
  // Some answer a wrong password with 401 (Keycloak), which is the grant's fault all the same.
  const bool is_grant = error == "invalid_grant";
  if ((response.status == 401 && !is_grant) || error == "invalid_client" ||
      error == "unauthorized_client") {
    return {Errc::token_client_rejected, status};
  }
  if (error == "temporarily_unavailable" || error == "server_error" || error == "slow_down") {
    return {Errc::provider_overloaded, status};
  }
  if (error.empty()) return {Errc::provider_answer_invalid, status + " without an error code"};
  return {Errc::token_request_rejected, is_grant ? "invalid_grant" : status};
}

// Seconds from now, or a moment in the past where the answer makes no sense: such a token is
// expired, never eternal.
Seconds expiry(const Json& json, Seconds now) {
  const auto member = json.find("expires_in");
  if (member == json.end() || member->is_null()) return 0;
  const std::optional<Seconds> seconds = numeric_date(json, "expires_in");
  if (!seconds || *seconds <= 0) return now - 1;
  return add_saturated(now, *seconds);
}

}  // namespace

Form code_grant(std::string_view code, std::string_view redirect_uri,
                std::string_view code_verifier) {
  Form form;
  form.add("grant_type", "authorization_code");
  form.add("code", code);
  form.add("redirect_uri", redirect_uri);
  if (!code_verifier.empty()) form.add("code_verifier", code_verifier);
  return form;
}

Form refresh_grant(std::string_view refresh_token) {
  Form form;
  form.add("grant_type", "refresh_token");
  form.add("refresh_token", refresh_token);
  return form;
}

Form password_grant(std::string_view user, std::string_view password, std::string_view scope) {
  Form form;
  form.add("grant_type", "password");
  form.add("username", user);
  form.add("password", password);
  if (!scope.empty()) form.add("scope", scope);
  return form;
}

Form client_credentials_grant(std::string_view scope) {
  Form form;
  form.add("grant_type", "client_credentials");
  if (!scope.empty()) form.add("scope", scope);
  return form;
}

Form revocation_request(std::string_view token, std::string_view hint) {
  Form form;
  form.add("token", token);
  form.add("token_type_hint", hint);
  return form;
}

Result<TokenResponse> read_token_response(const HttpResponse& response, Seconds now) {
  if (response.status != 200) return token_error(response);
  if (response.content_type != "application/json") {
    return Error{Errc::provider_answer_invalid, "the content type is not application/json"};
  }
  Result<Json> json = parse_json_object(response.body);
  if (!json) return Error{Errc::provider_answer_invalid, json.error().detail};
  TokenResponse tokens;
  tokens.access_token = json_string(*json, "access_token").value_or("");
  if (tokens.access_token.empty()) return Errc::access_token_missing;
  if (!equals_ignoring_case(json_string(*json, "token_type").value_or(""), "bearer")) {
    return Errc::token_type_unsupported;
  }
  // A token goes into a header: RFC 6750 section 2.1 allows only these characters.
  const auto header_safe = [](std::string_view token) {
    return std::all_of(token.begin(), token.end(), [](char c) { return c > 0x20 && c < 0x7f; });
  };
  tokens.id_token = json_string(*json, "id_token").value_or("");
  tokens.refresh_token = json_string(*json, "refresh_token").value_or("");
  tokens.scope = json_string(*json, "scope").value_or("");
  if (!header_safe(tokens.access_token) || !header_safe(tokens.id_token) ||
      !header_safe(tokens.refresh_token)) {
    return Error{Errc::provider_answer_invalid, "a token holds characters that no token may hold"};
  }
  tokens.access_expires = expiry(*json, now);
  constexpr std::size_t kLongestHeader = 4096;
  for (const auto& [name, value] : response.headers) {
    const bool plain = std::all_of(value.begin(), value.end(),
                                   [](char c) { return c >= 0x20 && c < 0x7f; });
    if (plain && value.size() <= kLongestHeader) tokens.replay.emplace_back(name, value);
  }
  return tokens;
}

}  // namespace oidc
