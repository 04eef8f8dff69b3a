#include <nlohmann/json.hpp>

#include "access_token_flow.h"
#include "oidc/client_auth.h"
#include "oidc/introspection.h"
#include "oidc/provider.h"

namespace oidc {
namespace {

// A JWT says of itself that it is no access token, whether or not anybody looks at its signature.
Result<void> check_kind(const Settings& settings, std::string_view token) {
  const Result<Jwt> jwt = parse_jwt(token);
  if (!jwt) return {};
  return check_access_token_kind(*jwt, settings.access_token.typ);
}

Form request_form(const Settings& settings, const std::string& token) {
  Form form;
  form.add("token", token);
  if (!settings.introspection.hint.empty()) {
    form.add("token_type_hint", settings.introspection.hint);
  }
  for (const auto& [name, value] : settings.introspection.post_args) form.add(name, value.text);
  return form;
}

}  // namespace

Task<Result<TokenSession>> introspect(Services& services, std::string token) {
  const Settings& settings = services.settings;
  const Result<void> kind = check_kind(settings, token);
  if (!kind) co_return kind.error();
  auto provider = co_await services.provider.metadata();
  if (!provider) co_return std::move(provider).error();
  if ((*provider)->introspection_endpoint.empty()) {
    co_return Error{Errc::introspection_invalid, "the provider names no introspection_endpoint"};
  }
  HttpRequest request = client_request(ClientEndpoint::introspection, **provider, settings,
                                       request_form(settings, token), services.loop.now());
  request.accept = settings.introspection.accept;
  request.max_body = kMaxIntrospection;
  const Result<HttpResponse> response = co_await services.http.send(std::move(request));
  if (!response) co_return response.error();
  const Result<Json> claims = read_introspection(*response, settings.introspection.check_active);
  if (!claims) co_return claims.error();
  const Seconds now = services.loop.now();
  const Result<AccessTokenFacts> facts =
      check_introspected(*claims, expectations(settings, now));
  if (!facts) co_return facts.error();
  co_return make_token_session(Method::introspection, token, *facts, response->body, now);
}

}  // namespace oidc
