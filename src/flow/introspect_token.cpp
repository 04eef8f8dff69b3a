#include <nlohmann/json.hpp>

#include "access_token_flow.h"
#include "decrypt.h"
#include "oidc/client_auth.h"
#include "oidc/client_key.h"
#include "oidc/introspection.h"
#include "oidc/provider.h"
#include "steps.h"

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

// What is wrong with a JWT of the provider's is no fault of who sent the access token.
Error answer_error(Error error) {
  const bool of_jwt = error.code >= Errc::jwt_malformed && error.code <= Errc::jwt_typ;
  if (!of_jwt) return error;
  return {Errc::introspection_invalid, std::string(info(error.code).code)};
}

struct Answer {
  Json claims;
  std::string text;  // JSON
  std::string jwt;   // as it was signed, where that is wanted
};

// RFC 9701: signed, and encrypted if the provider does so.
Task<Result<Answer>> read_signed(Services& services, HttpResponse response) {
  const Settings& settings = services.settings;
  const Result<HttpResponse> opened = decrypted(settings, std::move(response), kSignedIntrospection,
                                                settings.encryption.introspection);
  if (!opened) co_return answer_error(opened.error());
  Result<Jwt> parsed = read_signed_introspection(*opened);
  if (!parsed) co_return std::move(parsed).error();
  // A shared secret signs the client's own ID tokens, and nothing else.
  if (hmac_secret_size(parsed->alg) != 0) {
    co_return Error{Errc::introspection_invalid, "jwt_alg_not_allowed"};
  }
  const auto jwt = std::make_shared<const Jwt>(std::move(*parsed));
  const Result<void> verified =
      co_await verify_provider_signature(services, jwt, KeyBudget::access_token);
  if (!verified) co_return answer_error(verified.error());
  IntrospectionExpectations expected;
  expected.issuer = settings.provider.issuer;
  expected.client_id = settings.client.id;
  expected.now = services.loop.now();
  expected.leeway = settings.token.leeway;
  Result<Json> claims =
      check_signed_introspection(*jwt, expected, settings.introspection.check_active);
  if (!claims) co_return std::move(claims).error();
  Answer answer;
  answer.text = claims->dump(-1, ' ', false, Json::error_handler_t::replace);
  answer.claims = std::move(*claims);
  if (settings.headers.keep_jwt) answer.jwt = compact_form(*jwt);
  co_return answer;
}

Task<Result<Answer>> read_answer(Services& services, HttpResponse response) {
  const IntrospectionSettings& settings = services.settings.introspection;
  if (settings.accept == kSignedIntrospection) {
    co_return co_await read_signed(services, std::move(response));
  }
  Result<Json> claims = read_introspection(response, settings.check_active);
  if (!claims) co_return std::move(claims).error();
  Answer answer;
  answer.claims = std::move(*claims);
  answer.text = std::move(response.body);
  co_return answer;
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
  Result<HttpResponse> response = co_await services.http.send(std::move(request));
  if (!response) co_return std::move(response).error();
  const Result<Answer> answer = co_await read_answer(services, std::move(*response));
  if (!answer) co_return answer.error();
  const Seconds now = services.loop.now();
  Result<AccessTokenFacts> facts =
      check_introspected(answer->claims, expectations(settings, now));
  if (!facts) co_return std::move(facts).error();
  facts->answer_jwt = answer->jwt;
  co_return make_token_session(Method::introspection, token, *facts, answer->text, now);
}

}  // namespace oidc
