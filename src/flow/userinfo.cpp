#include "oidc/userinfo.h"

#include <nlohmann/json.hpp>

#include "access_token_flow.h"
#include "decrypt.h"
#include "oidc/provider.h"
#include "steps.h"

namespace oidc {
namespace {

// A signature, and a key, is the provider's to get right, whoever sent the access token.
Error signature_error(Error error) {
  const bool of_jwt = error.code >= Errc::jwt_malformed && error.code <= Errc::jwt_typ;
  if (!of_jwt) return error;
  return {Errc::userinfo_invalid, std::string(info(error.code).code)};
}

UserinfoExpectations expected_of(const Settings& settings, std::string_view subject, Seconds now) {
  return {settings.provider.issuer, settings.client.id, subject, now, settings.token.leeway};
}

struct Said {
  Json claims;
  std::string jwt;  // as it was signed, where that is wanted
};

Task<Result<Said>> fetch(Services& services, std::string access_token, std::string subject,
                         KeyBudget budget) {
  Said said;
  const Settings& settings = services.settings;
  auto provider = co_await services.provider.metadata();
  if (!provider) co_return std::move(provider).error();
  const std::string& endpoint = (*provider)->userinfo_endpoint;
  if (endpoint.empty()) {
    co_return Error{Errc::userinfo_invalid, "the provider names no userinfo_endpoint"};
  }
  HttpRequest request = userinfo_request(endpoint, settings.userinfo.accept, access_token);
  cleanse(access_token);
  Result<HttpResponse> response = co_await services.http.send(std::move(request));
  if (!response) co_return std::move(response).error();
  const Result<HttpResponse> opened = decrypted(settings, std::move(*response), kSignedUserinfo,
                                                settings.encryption.userinfo);
  if (!opened) co_return signature_error(opened.error());
  Result<UserinfoAnswer> answer = read_userinfo(*opened, settings.userinfo.accept);
  if (!answer) co_return std::move(answer).error();
  if (answer->jwt != nullptr) {
    const std::shared_ptr<const Jwt> jwt = answer->jwt;
    const Result<void> verified = co_await verify_provider_signature(services, jwt, budget);
    if (!verified) co_return signature_error(verified.error());
  }
  const Result<void> checked =
      check_userinfo(*answer, expected_of(settings, subject, services.loop.now()));
  if (!checked) co_return checked.error();
  if (answer->jwt != nullptr && settings.headers.keep_jwt) said.jwt = compact_form(*answer->jwt);
  said.claims = std::move(answer->claims);
  co_return said;
}

std::string text_of(const Json& claims) {
  return claims.dump(-1, ' ', false, Json::error_handler_t::replace);
}

UserinfoText texts_of(const Said& said) { return {text_of(said.claims), said.jwt}; }

}  // namespace

Task<Result<UserinfoText>> userinfo_of_login(Services& services, std::string access_token,
                                             std::string subject) {
  Result<Said> said =
      co_await fetch(services, std::move(access_token), std::move(subject), KeyBudget::callback);
  if (said) co_return texts_of(*said);
  Error why = std::move(said).error();
  // Of a token that the provider has just made.
  if (why.code == Errc::token_inactive) why.code = Errc::userinfo_invalid;
  co_return why;
}

Task<Result<UserinfoText>> userinfo_of_session(Services& services, std::string access_token,
                                               std::string subject) {
  const Result<Said> said =
      co_await fetch(services, std::move(access_token), std::move(subject), KeyBudget::callback);
  if (!said) co_return said.error();
  co_return texts_of(*said);
}

Task<Result<TokenSession>> ask_userinfo(Services& services, std::string token) {
  const std::string whoever;
  const Result<Said> said = co_await fetch(services, token, whoever, KeyBudget::access_token);
  if (!said) co_return said.error();
  AccessTokenFacts facts;
  facts.subject = json_string(said->claims, "sub").value_or("");
  facts.answer_jwt = said->jwt;
  co_return make_token_session(Method::userinfo, token, facts, text_of(said->claims),
                               services.loop.now());
}

}  // namespace oidc
