#include "revocation.h"

#include <nlohmann/json.hpp>

#include "oidc/client_auth.h"
#include "oidc/json.h"
#include "oidc/provider.h"
#include "oidc/token_endpoint.h"

namespace oidc {
namespace {

constexpr Milliseconds kRetryPause{1000};

// What went wrong; empty: nothing. The provider's own words stay outside.
std::string failure_of(const Result<HttpResponse>& response) {
  if (!response) {
    std::string text(info(response.error().code).code);
    return text.append(": ").append(response.error().detail);
  }
  if (response->status == 200) return {};
  std::string text = "status ";
  text.append(std::to_string(response->status));
  const Result<Json> json = parse_json_object(response->body);
  if (json && json_string(*json, "error").value_or("") == "unsupported_token_type") {
    text.append(", unsupported_token_type");
  }
  return text;
}

bool is_worth_a_retry(const Result<HttpResponse>& response) {
  return !response || response->status == 503;
}

Task<void> revoke(Services& services, std::shared_ptr<const ProviderMetadata> provider,
                  std::string token, std::string hint) {
  std::string failure;
  for (int attempt = 1; attempt <= 2; ++attempt) {
    HttpRequest request = client_request(ClientEndpoint::revocation, *provider, services.settings,
                                         revocation_request(token, hint), services.loop.now());
    const Result<HttpResponse> response = co_await services.http.send(std::move(request));
    failure = failure_of(response);
    if (failure.empty() || !is_worth_a_retry(response)) break;
    if (attempt == 1) co_await sleep_for(services.loop, kRetryPause);
  }
  cleanse(token);
  if (failure.empty()) co_return;
  services.log.write(LogLevel::warn, Errc::revocation_failed, hint.append(": ").append(failure));
}

Task<void> revoke_all(Services& services, std::string access_token, std::string refresh_token) {
  auto provider = co_await services.provider.metadata();
  if (!provider) {
    std::string why(info(provider.error().code).code);
    why.append(": ").append(provider.error().detail);
    services.log.write(LogLevel::warn, Errc::revocation_failed, why);
  } else if ((*provider)->revocation_endpoint.empty()) {
    services.log.write(LogLevel::warn, Errc::revocation_failed,
                       "the provider names no revocation_endpoint");
  } else {
    const std::string refresh_hint = "refresh_token", access_hint = "access_token";
    // At many providers its revocation ends the access token as well.
    if (!refresh_token.empty()) {
      co_await revoke(services, *provider, refresh_token, refresh_hint);
    }
    if (!access_token.empty()) co_await revoke(services, *provider, access_token, access_hint);
  }
  cleanse(access_token);
  cleanse(refresh_token);
}

}  // namespace

void revoke_tokens(Services& services, std::string access_token, std::string refresh_token) {
  const LogoutSettings& logout = services.settings.logout;
  if (!logout.revoke) return;
  if (!logout.revoke_access_token) access_token.clear();
  if (!logout.revoke_refresh_token) refresh_token.clear();
  if (access_token.empty() && refresh_token.empty()) return;
  services.loop.spawn(revoke_all(services, std::move(access_token), std::move(refresh_token)));
}

}  // namespace oidc
