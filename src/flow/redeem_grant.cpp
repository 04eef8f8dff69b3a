#include <algorithm>

#include "access_token_flow.h"
#include "decrypt.h"
#include "grant_flow.h"
#include "oidc/provider.h"
#include "steps.h"

namespace oidc {
namespace {

// A client that comes by itself has no user: openid asks for nothing, and some providers refuse it.
std::string scope_of(const Settings& settings, Method method) {
  std::string scope;
  for (const std::string& word : settings.authorization.scopes) {
    if (method == Method::client_credentials && word == "openid") continue;
    if (!scope.empty()) scope.push_back(' ');
    scope.append(word);
  }
  return scope;
}

// Who calls: the configured client, or the one that sent its own id and secret.
ClientSettings caller_of(const Settings& settings, const PresentedGrant& grant) {
  ClientSettings caller;
  caller.id = grant.name.view();
  caller.secret = grant.secret.clone();
  const ClientSettings& own = settings.client;
  const std::optional<ClientAuth> chosen = own.token_auth ? own.token_auth : own.auth;
  const bool by_secret = chosen == ClientAuth::client_secret_basic ||
                         chosen == ClientAuth::client_secret_post;
  if (by_secret) caller.auth = chosen;
  return caller;
}

HttpRequest request_of(const Settings& settings, const ProviderMetadata& metadata,
                       const GrantCall& call, Seconds now) {
  const PresentedGrant& grant = call.grant;
  HttpRequest request;
  if (grant.method == Method::client_credentials) {
    Form form = client_credentials_grant(scope_of(settings, grant.method));
    call.extras.add_to(form);
    const ClientSettings caller = caller_of(settings, grant);
    request = client_request(ClientEndpoint::token, metadata, caller, settings.provider,
                             std::move(form), now);
  } else {
    Form form = grant.method == Method::refresh_token
                    ? refresh_grant(grant.secret.view())
                    : password_grant(grant.name.view(), grant.secret.view(),
                                     scope_of(settings, grant.method));
    call.extras.add_to(form);
    request = client_request(ClientEndpoint::token, metadata, settings, std::move(form), now);
  }
  call.extras.add_to(request);
  return request;
}

// What the provider's refusal means for the request. A fault of the configuration looks the same to
// the client, and is the operator's to know.
Error refusal(Services& services, const GrantCall& call, Error why) {
  const bool is_client = why.code == Errc::token_client_rejected;
  if (!is_client && why.code != Errc::token_request_rejected) return why;
  const bool is_wrong = call.grant.method == Method::client_credentials
                            ? is_client
                            : why.detail == "invalid_grant";
  if (is_wrong) {
    count_failure(services, call.who);
  } else {
    services.log.write(LogLevel::error, why.code, why.detail);
  }
  return Error{Errc::credential_rejected, std::move(why.detail)};
}

Task<Result<TokenResponse>> send(Services& services, std::shared_ptr<const GrantCall> call) {
  auto metadata = co_await services.provider.metadata();
  if (!metadata) co_return std::move(metadata).error();
  HttpRequest request = request_of(services.settings, **metadata, *call, services.loop.now());
  const Result<HttpResponse> response = co_await services.http.send(std::move(request));
  if (!response) co_return response.error();
  Result<TokenResponse> tokens = read_token_response(*response, services.loop.now());
  if (!tokens) co_return refusal(services, *call, std::move(tokens).error());
  co_return tokens;
}

struct Judged {
  AccessTokenFacts facts;
  std::string introspection;
  std::optional<std::uint64_t> keys;
  bool verified = false;
  bool asked = false;
};

// What the introspection endpoint says goes before what the token says.
Result<void> add_answer(Judged& judged, const SessionRecord& said) {
  AccessTokenFacts& facts = judged.facts;
  if (!said.subject.empty() && !facts.subject.empty() && said.subject != facts.subject) {
    return Error{Errc::introspection_invalid, "another sub than the token's"};
  }
  if (!said.subject.empty()) facts.subject = said.subject;
  if (!said.scope.empty()) facts.scope = said.scope;
  if (!said.acr.empty()) facts.acr = said.acr;
  if (said.auth_time != 0) facts.auth_time = said.auth_time;
  if (said.access_expires != 0) {
    facts.expires = facts.expires == 0 ? said.access_expires
                                       : std::min(facts.expires, said.access_expires);
  }
  judged.introspection = said.introspection;
  facts.answer_jwt = said.answer_jwt;
  judged.asked = true;
  return {};
}

// A JWT is verified; an opaque one came from the provider itself a moment ago, and is introspected
// where that is how tokens are judged here.
Task<Result<Judged>> judge_access_token(Services& services, std::string token) {
  const Settings& settings = services.settings;
  Judged judged;
  const bool jwt = looks_like_jwt(token);
  if (jwt) {
    const Result<VerifiedToken> verified = co_await verify_access_token(services, token);
    if (!verified) co_return verified.error();
    judged.facts = verified->facts;
    judged.keys = verified->keys;
    judged.verified = true;
  }
  if (!settings.credentials.introspection || (jwt && !settings.introspection.jwts)) {
    co_return judged;
  }
  // New as it is nobody else asks about it, and this call is counted already.
  const Result<TokenSession> said = co_await introspect(services, token);
  if (!said) co_return said.error();
  const Result<void> added = add_answer(judged, (*said)->record());
  if (!added) co_return added.error();
  co_return judged;
}

Result<TokenSession> make_session(Services& services, const GrantCall& call,
                                  const TokenResponse& tokens, const Judged& judged,
                                  const IdTokenFacts& user) {
  const AccessTokenFacts& facts = judged.facts;
  SessionRecord record;
  record.method = static_cast<std::uint8_t>(call.grant.method);
  record.created = services.loop.now();
  record.tokens_since = record.created;
  record.access_expires = access_expiry(tokens);
  if (facts.expires != 0 && (record.access_expires == 0 || facts.expires < record.access_expires)) {
    record.access_expires = facts.expires;
  }
  record.subject = user.subject.empty() ? facts.subject : user.subject;
  record.provider_sid = user.provider_sid;
  record.scope = tokens.scope.empty() ? facts.scope : tokens.scope;
  record.acr = user.acr.empty() ? facts.acr : user.acr;
  record.auth_time = user.auth_time == 0 ? facts.auth_time : user.auth_time;
  record.access_token = tokens.access_token;
  record.refresh_token = tokens.refresh_token;
  record.id_token = tokens.id_token;
  record.introspection = judged.introspection;
  record.answer_jwt = facts.answer_jwt;
  record.jwk = facts.jwk;
  return OpenSession::make({}, {}, {}, encode_record(record));
}

}  // namespace

Task<Result<GrantedTokens>> redeem_grant(Services& services,
                                         std::shared_ptr<const GrantCall> call) {
  Result<TokenResponse> tokens = co_await send(services, call);
  if (!tokens) co_return std::move(tokens).error();
  IdTokenFacts user;
  if (!tokens->id_token.empty()) {
    Result<std::string> id_token = signed_part(services.settings, std::move(tokens->id_token),
                                               services.settings.encryption.id_token);
    if (!id_token) co_return std::move(id_token).error();
    tokens->id_token = std::move(*id_token);
    IdTokenDemand demand;
    if (call->grant.method == Method::client_credentials) demand.client_id = call->grant.name.view();
    demand.nonce_required = false;
    demand.access_token = tokens->access_token;
    Result<IdTokenFacts> verified = co_await verify_id_token(services, tokens->id_token, demand);
    if (!verified) co_return std::move(verified).error();
    user = std::move(*verified);
  }
  const Result<Judged> judged = co_await judge_access_token(services, tokens->access_token);
  if (!judged) co_return judged.error();
  Result<TokenSession> session = make_session(services, *call, *tokens, *judged, user);
  if (!session) co_return std::move(session).error();
  GrantedTokens granted;
  granted.session = std::move(*session);
  granted.keys = judged->keys;
  granted.verified = judged->verified;
  granted.asked = judged->asked;
  granted.replay = tokens->replay;
  co_return granted;
}

}  // namespace oidc
