#include "oidc/authorization.h"

#include <algorithm>
#include <array>

#include "oidc/crypto.h"
#include "oidc/url.h"

namespace oidc {
namespace {

constexpr std::array<std::string_view, 7> kAnswerParameters = {
    "code", "state", "iss", "error", "error_description", "session_state", "response"};

std::string joined(const std::vector<std::string>& words) {
  std::string text;
  for (const std::string& word : words) {
    if (!text.empty()) text.push_back(' ');
    text.append(word);
  }
  return text;
}

bool printable(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return c >= 0x20 && c <= 0x7e; });
}

}  // namespace

std::string authorization_url(const Settings& settings, const ProviderMetadata& metadata,
                              const AuthorizationRequest& request) {
  const AuthorizationSettings& authorization = settings.authorization;
  Form form;
  form.add("response_type", "code");
  form.add("client_id", settings.client.id);
  form.add("redirect_uri", request.redirect_uri);
  form.add("scope", joined(authorization.scopes));
  form.add("state", request.state);
  form.add("nonce", request.nonce);
  if (authorization.response_mode == ResponseMode::form_post) {
    form.add("response_mode", "form_post");
  }
  if (!request.code_challenge.empty()) {
    form.add("code_challenge", request.code_challenge);
    form.add("code_challenge_method", "S256");
  }
  if (authorization.max_age) form.add("max_age", std::to_string(*authorization.max_age));
  if (!authorization.acr_values.empty()) form.add("acr_values", joined(authorization.acr_values));
  for (const std::string& audience : authorization.audience) form.add("audience", audience);
  for (const auto& [name, value] : request.extra) {
    if (form.count(name) == 0) form.add(name, value);
  }
  return append_query(metadata.authorization_endpoint, form.encode());
}

bool is_protocol_parameter(std::string_view name) {
  static constexpr std::array<std::string_view, 14> kNames = {
      "client_id", "client_secret", "redirect_uri", "response_type", "response_mode", "state",
      "nonce", "grant_type", "scope", "audience", "resource", "claims", "registration", "dpop_jkt"};
  return std::find(kNames.begin(), kNames.end(), name) != kNames.end() ||
         name.starts_with("client_assertion") || name.starts_with("code") ||
         name.starts_with("request");
}

Result<AuthorizationResponse> read_authorization_response(const Form& form) {
  for (const std::string_view name : kAnswerParameters) {
    if (form.count(name) > 1) return Error{Errc::parameter_duplicated, std::string(name)};
  }
  AuthorizationResponse response;
  response.state = form.get("state").value_or("");
  if (response.state.empty()) return Errc::state_missing;
  response.code = form.get("code").value_or("");
  response.error = form.get("error").value_or("");
  if (const auto iss = form.get("iss")) response.iss = std::string(*iss);
  if (!response.code.empty() && !response.error.empty()) {
    return Error{Errc::parameter_malformed, "both code and error"};
  }
  // RFC 6749 appendix A.11: VSCHAR.
  if (!printable(response.code)) return Error{Errc::parameter_malformed, "code"};
  return response;
}

Result<void> check_response_iss(const AuthorizationResponse& response, const Settings& settings,
                                const ProviderMetadata& metadata) {
  if (response.iss) {
    if (*response.iss != settings.provider.issuer) return Errc::iss_mismatch;
    return {};
  }
  if (metadata.iss_parameter || settings.authorization.require_iss) return Errc::iss_missing;
  return {};
}

Errc authorization_error(std::string_view error) {
  if (error == "access_denied") return Errc::access_denied;
  if (error == "login_required" || error == "interaction_required" ||
      error == "account_selection_required" || error == "consent_required") {
    return Errc::login_required;
  }
  if (error == "temporarily_unavailable" || error == "server_error") {
    return Errc::provider_unavailable;
  }
  return Errc::provider_error;
}

}  // namespace oidc
