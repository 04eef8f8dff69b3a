#include <algorithm>

#include "cookie_session.h"
#include "decrypt.h"
#include "oidc/provider.h"
#include "remember.h"
#include "session_index.h"
#include "session_userinfo.h"
#include "steps.h"

namespace oidc {
namespace {

using LoginResult = Result<std::shared_ptr<const Login>>;
using Arrival = std::shared_ptr<Promised<std::shared_ptr<LoginResult>>>;

Task<Result<TokenResponse>> redeem(Services& services, std::string code, std::string uri,
                                   std::string code_verifier, TokenExtras extras) {
  auto metadata = co_await services.provider.metadata();
  if (!metadata) co_return std::move(metadata).error();
  Form form = code_grant(code, uri, code_verifier);
  extras.add_to(form);
  HttpRequest request = client_request(ClientEndpoint::token, **metadata, services.settings,
                                       std::move(form), services.loop.now());
  extras.add_to(request);
  cleanse(code);
  cleanse(code_verifier);
  const Result<HttpResponse> response = co_await services.http.send(std::move(request));
  if (!response) co_return response.error();
  co_return read_token_response(*response, services.loop.now());
}

// A session that this login replaces. `of`: whose it is most likely, the new one's user; what its own
// cookie opens says it for certain.
Task<void> retire(Services& services, StoreKey key, Membership of, Facts facts,
                  std::optional<SessionCookie> cookie) {
  if (cookie) {
    const SessionLookup lookup = co_await read_sent_session(services, facts, *cookie);
    if (lookup.session) of = membership_of(lookup.session->key(), lookup.session->record());
  }
  // Requests in flight still carry it.
  const Seconds idling = services.settings.session.idling_timeout;
  const Milliseconds grace = grace_of(Milliseconds((idling == 0 ? 3600 : idling) * 1000));
  const StoreWrite written = co_await services.store.touch(key, grace);
  if (written.status == StoreStatus::error) {
    services.log.write(LogLevel::warn, Errc::store_unavailable, written.detail);
  } else {
    co_await shorten_indexed(services, of, key, grace);
  }
}

void retire_replaced(Services& services, const CodeExchange& exchange, const Membership& of) {
  const auto present = parse_store_key(exchange.present);
  if (present) {
    const CookieLookup sent = session_cookie_of(services, *exchange.facts);
    services.loop.spawn(retire(services, *present, of, exchange.facts, sent.cookie));
  }
  const auto replaced = parse_store_key(exchange.pending.replaces);
  if (replaced && replaced != present) {
    services.loop.spawn(retire(services, *replaced, of, exchange.facts, std::nullopt));
  }
}

// A session that is in the store enters the index, unless a logout was faster or there are too many.
Task<Result<void>> admit(Services& services, Membership who, Milliseconds ttl,
                         CodeExchange exchange) {
  Result<void> admitted = co_await index_session(services, who, ttl, exchange.pending.created);
  if (admitted) {
    std::vector<std::string> replaced{exchange.pending.replaces, exchange.present};
    admitted = co_await limit_sessions(services, who, std::move(replaced));
    if (!admitted) co_await unindex_session(services, who);
  }
  if (admitted) co_return admitted;
  const StoreWrite erased = co_await services.store.erase(who.session.key);
  if (erased.status == StoreStatus::error) {
    services.log.write(LogLevel::warn, Errc::store_unavailable, erased.detail);
  }
  co_return admitted;
}

Task<LoginResult> create_session(Services& services, TokenResponse tokens, IdTokenFacts facts,
                                 UserinfoText userinfo, CodeExchange exchange) {
  const Settings& settings = services.settings;
  const Seconds now = services.loop.now();
  const SessionCookie cookie = make_session_cookie(now, settings.session.absolute_timeout);
  SessionRecord record;
  record.method = static_cast<std::uint8_t>(Method::authorization_code);
  record.created = now;
  record.absolute_end = cookie.absolute_end;
  record.access_expires = access_expiry(tokens);
  record.tokens_since = now;
  record.auth_time = facts.auth_time;
  record.sid_since = now;
  record.subject = facts.subject;
  record.provider_sid = facts.provider_sid;
  record.scope = tokens.scope;
  record.access_token = tokens.access_token;
  record.refresh_token = tokens.refresh_token;
  record.id_token = tokens.id_token;
  record.nonce = exchange.pending.nonce;
  record.acr = facts.acr;
  record.introspection = userinfo.json;
  record.userinfo_since = userinfo.json.empty() ? 0 : now;
  record.answer_jwt = userinfo.jwt;
  record.jwk = facts.jwk;
  const SessionCookie remember = make_remember_cookie(services);
  bool remembered = false;
  if (settings.session.remember.on) {
    remembered =
        co_await remember_login(services, record, cookie, remember, exchange.pending.created);
    if (remembered) record.remember_sid = remember.sid_view();
  }
  std::string bytes = encode_record(record);
  const std::string envelope =
      seal_envelope(bytes, cookie.sid_view(), services.keys, settings.identity);
  const StoreKey key = store_key(cookie.sid_view());
  const Milliseconds ttl = record_ttl(record, settings.session, now);
  const Membership who = membership_of(key, record);
  auto session = OpenSession::make(cookie, key, std::string(envelope_generation(envelope)),
                                   std::move(bytes));
  if (!session) co_return std::move(session).error();
  const Result<void> fits = check_fits(services, **session);
  if (!fits) co_return fits.error();
  StoreWrite written;
  written.status = StoreStatus::hit;  // where the browser keeps it
  if (services.in_cookies == nullptr) {
    written = co_await services.store.insert(key, envelope, ttl);
  }
  if (written.status != StoreStatus::hit) {
    if (remembered) services.loop.spawn(forget_remembered(services, remember));
    co_return Error{written.full ? Errc::store_full : Errc::store_unavailable, written.detail};
  }
  const Result<void> admitted = co_await admit(services, who, ttl, exchange);
  if (!admitted) {
    if (remembered) services.loop.spawn(forget_remembered(services, remember));
    co_return admitted.error();
  }
  auto login = std::make_shared<Login>();
  login->session = std::move(*session);
  if (remembered) login->remember = remember;
  login->tokens = std::move(tokens);
  co_return std::shared_ptr<const Login>(std::move(login));
}

Task<LoginResult> log_in(Services& services, CodeExchange exchange) {
  Result<TokenResponse> tokens = co_await redeem(services, exchange.code,
                                                 exchange.pending.redirect_uri,
                                                 exchange.pending.code_verifier, exchange.extras);
  if (!tokens) co_return std::move(tokens).error();
  if (tokens->id_token.empty()) co_return Errc::id_token_missing;
  // What is kept and sent on is the signed token inside: Core 3.1.2.1 wants that for id_token_hint.
  Result<std::string> id_token = signed_part(services.settings, std::move(tokens->id_token),
                                             services.settings.encryption.id_token);
  if (!id_token) co_return std::move(id_token).error();
  tokens->id_token = std::move(*id_token);
  IdTokenDemand demand;
  demand.nonce = exchange.pending.nonce;
  demand.access_token = tokens->access_token;
  demand.code = exchange.code;
  demand.check_authentication = true;
  Result<IdTokenFacts> facts = co_await verify_id_token(services, tokens->id_token, demand);
  if (!facts) co_return std::move(facts).error();
  UserinfoText userinfo;
  if (services.settings.userinfo.at_login || lacks_claims(services.settings, *tokens)) {
    Result<UserinfoText> said =
        co_await userinfo_of_login(services, tokens->access_token, facts->subject);
    if (!said) co_return std::move(said).error();
    userinfo = std::move(*said);
  }
  LoginResult login = co_await create_session(services, *tokens, *facts, userinfo, exchange);
  if (login) {
    const OpenSession& session = *(*login)->session;
    retire_replaced(services, exchange, membership_of(session.key(), session.record()));
    if (exchange.remembered) {
      services.loop.spawn(forget_remembered(services, *exchange.remembered));
    }
  }
  co_return login;
}

Task<void> log_in_and_tell(Services& services, CodeExchange exchange, Arrival arrived) {
  LoginResult login = Error{Errc::internal, "the login ended by an exception"};
  try {
    login = co_await log_in(services, std::move(exchange));
  } catch (const std::exception&) {
    // Who waits is told; the promise must never stay open.
  }
  arrived->set(std::make_shared<LoginResult>(std::move(login)));
}

}  // namespace

Seconds access_expiry(const TokenResponse& tokens) {
  if (tokens.access_expires != 0) return tokens.access_expires;
  const Result<Jwt> jwt = parse_jwt(tokens.access_token);
  if (!jwt) return 0;
  const std::optional<Seconds> exp = numeric_date(jwt->claims, "exp");
  return exp ? std::max<Seconds>(*exp, 1) : 0;  // 0 would mean unknown
}

Task<LoginResult> exchange_code(Services& services, CodeExchange exchange) {
  exchange.extras = token_extras(services.settings, *exchange.facts, Copies::yes);
  const Arrival arriving = std::make_shared<Arrival::element_type>();
  services.loop.spawn(log_in_and_tell(services, std::move(exchange), arriving));
  // Token endpoint, key set, userinfo and store each have their own limit; this one is the last
  // resort.
  const Milliseconds patience(4 * services.settings.provider.timeout_ms + 10000);
  const auto login = co_await wait_for(services.loop, arriving, patience);
  if (!login) co_return Error{Errc::provider_timeout, "the login did not end in time"};
  co_return **login;
}

}  // namespace oidc
