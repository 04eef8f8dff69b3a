// OpenID Connect Back-Channel Logout 1.0, errata 1.
#include <algorithm>
#include <nlohmann/json.hpp>

#include "decrypt.h"
#include "form_body.h"
#include "oidc/base64url.h"
#include "oidc/crypto.h"
#include "oidc/logout.h"
#include "oidc/logout_flows.h"
#include "in_worker.h"
#include "session_index.h"
#include "steps.h"

namespace oidc {
namespace {

// Section 2.8: 200, or an error as JSON; never stored by a cache.
Outcome answer(const Services& services, int status, Error why) {
  Outcome outcome;
  outcome.kind = Outcome::Kind::answer;
  outcome.settings = &services.settings;
  outcome.status = status;
  outcome.reason = why.code;
  outcome.detail = std::move(why.detail);
  outcome.headers.emplace_back("Cache-Control", "no-store");
  if (status == 405) outcome.headers.emplace_back("Allow", "POST");
  if (status == 200) return outcome;
  if (status >= 500) {
    // Only then the provider is asked for its keys again.
    const Seconds later = outcome.reason == Errc::keys_unavailable
                              ? services.settings.provider.rediscovery_lifetime
                              : 0;
    outcome.headers.emplace_back("Retry-After", std::to_string(std::max<Seconds>(later, 5)));
  }
  const Json body = {{"error", status >= 500 ? "temporarily_unavailable" : "invalid_request"},
                     {"error_description", info(outcome.reason).sentence}};
  outcome.content_type = "application/json";
  outcome.body = body.dump() + "\n";
  return outcome;
}

Outcome refuse(const Services& services, Error why) {
  // A provider that cannot be asked for its keys is no fault of the token.
  const int status = info(why.code).status;
  const bool ours = status >= 500 && !(why.code >= Errc::jwt_malformed && why.code <= Errc::jwt_typ);
  return answer(services, ours ? 503 : status >= 500 ? 400 : status, std::move(why));
}

Error invalid(std::string what) { return {Errc::logout_token_invalid, std::move(what)}; }

Task<Result<std::string>> read_token(Facts facts, BodyReader& reader) {
  const Result<Form> form = co_await read_form_body(facts, reader);
  if (!form && form.error().code == Errc::callback_body_too_large) co_return form.error();
  if (!form) co_return invalid("no urlencoded body");
  if (form->count("logout_token") != 1) co_return invalid("one logout_token is expected");
  co_return std::string(*form->get("logout_token"));
}

const Json& public_part(const std::shared_ptr<const DecryptionKey>& key) { return key->public_jwk(); }

constexpr std::size_t kMostKeyUses = 4;  // by one request of whoever sends it

// Section 2.4: encrypted as ID tokens are. Whoever may call this learns nothing of why a token does not
// open.
Result<std::string> opened(const Owners& owners, std::string token) {
  if (!looks_encrypted(token)) return token;
  std::vector<const Settings*> tried;  // locations mostly share their keys
  JweUses uses{kMostKeyUses};
  Result<std::string> inner = Errc::jwe_decryption;
  for (const Services* each : owners) {
    const Settings& settings = each->settings;
    if (settings.client.decryption_keys.empty()) continue;
    const bool known = std::any_of(tried.begin(), tried.end(), [&settings](const Settings* other) {
      return other->encryption.accepted == settings.encryption.accepted &&
             std::ranges::equal(other->client.decryption_keys, settings.client.decryption_keys, {},
                                public_part, public_part);
    });
    if (known) continue;
    inner = decrypt_jwe(token, settings.client.decryption_keys, settings.encryption.accepted, &uses);
    if (inner) break;
    tried.push_back(&settings);
  }
  return inner;
}

bool must_be_encrypted(const Owners& owners, const Jwt& jwt) {
  return std::any_of(owners.begin(), owners.end(), [&jwt](const Services* each) {
    const Settings& settings = each->settings;
    return settings.encryption.id_token &&
           is_logout_token_for(jwt, settings.provider.issuer, settings.client.id);
  });
}

// The owners that it names, each store and identity once.
Owners named_owners(const Owners& owners, const Jwt& jwt) {
  Owners named;
  for (Services* each : owners) {
    const Settings& settings = each->settings;
    if (!is_logout_token_for(jwt, settings.provider.issuer, settings.client.id)) continue;
    const bool known = std::any_of(named.begin(), named.end(), [&](const Services* other) {
      return other->settings.identity == settings.identity && &other->store == &each->store;
    });
    if (!known) named.push_back(each);
  }
  return named;
}

Task<Result<LogoutTokenFacts>> verify(Services& services, std::shared_ptr<const Jwt> jwt) {
  const Settings& settings = services.settings;
  const Result<void> verified =
      co_await verify_provider_signature(services, jwt, KeyBudget::logout_token);
  if (!verified) co_return verified.error();
  LogoutTokenExpectations expected;
  expected.issuer = settings.provider.issuer;
  expected.client_id = settings.client.id;
  expected.further_audiences = &settings.token.id_token_audiences;
  expected.now = services.loop.now();
  expected.leeway = settings.token.leeway;
  expected.exp_required = settings.logout.backchannel_exp_required;
  co_return check_logout_token(*jwt, expected);
}

// A token that was begun and did not end (the store went away) may come again; one that ended may not.
constexpr std::string_view kBegun = "begun";
constexpr std::string_view kDone = "done";

std::string jti_name(const Services& services, const LogoutTokenFacts& token) {
  std::string fields;
  append_field(fields, services.settings.identity);
  append_field(fields, token.jti);
  const Sha256 hash = sha256(fields);
  return "jti:" + base64url_encode(as_view(hash));
}

Milliseconds remembered_for(const Services& services, const LogoutTokenFacts& token) {
  return Milliseconds((token.valid_until - services.loop.now() + 1) * 1000);
}

Task<Result<void>> begin(Services& services, LogoutTokenFacts token) {
  const std::string name = jti_name(services, token);
  const Milliseconds life = remembered_for(services, token);
  std::string begun(kBegun);
  const StoreWrite added = co_await services.ledger.add(name, std::move(begun), life);
  if (added.status == StoreStatus::hit) co_return Result<void>();
  if (added.status == StoreStatus::error) co_return Error{Errc::store_unavailable, added.detail};
  const LedgerRead known = co_await services.ledger.read(name);
  if (known.status == StoreStatus::error) co_return Error{Errc::store_unavailable, known.detail};
  if (known.status == StoreStatus::hit && known.value == kBegun) co_return Result<void>();
  co_return Errc::logout_token_replayed;
}

// With a sid the sessions of that session of the provider, else all of the subject's.
Task<Result<void>> act(Services& services, LogoutTokenFacts token) {
  const Result<void> begun = co_await begin(services, token);
  if (!begun) co_return begun;
  IndexName name{IndexedBy::provider_sid, token.provider_sid};
  if (token.provider_sid.empty()) name = {IndexedBy::subject, token.subject};
  const Result<std::size_t> ended = co_await end_sessions_of(services, name);
  if (!ended) co_return ended.error();
  const std::string entry = jti_name(services, token);
  const Milliseconds life = remembered_for(services, token);
  std::string done(kDone);
  const StoreWrite written = co_await services.ledger.write(entry, std::move(done), life);
  if (written.status != StoreStatus::hit) co_return Error{Errc::store_unavailable, written.detail};
  co_return Result<void>();
}

}  // namespace

Task<Outcome> backchannel_logout_flow(Owners owners, Facts facts, BodyReader& body) {
  Services& first = *owners.front();
  if (facts->method != "POST") co_return answer(first, 405, invalid("not a POST"));
  const Result<std::string> token = co_await read_token(facts, body);
  if (!token) co_return refuse(first, token.error());
  const Result<std::string> inner = opened(owners, *token);
  if (!inner) co_return refuse(first, inner.error());
  Result<Jwt> parsed = parse_jwt(*inner);
  if (!parsed) co_return refuse(first, std::move(parsed).error());
  const auto jwt = std::make_shared<const Jwt>(std::move(*parsed));
  const Owners named = named_owners(owners, *jwt);
  if (named.empty()) co_return answer(first, 400, invalid("iss and aud: nobody here"));
  if (!looks_encrypted(*token) && must_be_encrypted(owners, *jwt)) {
    const Error plain{Errc::jwe_missing, "oidc_encryption_required"};
    co_return refuse(first, plain);
  }
  // All of it is verified before anything is done.
  std::vector<LogoutTokenFacts> verified;
  for (Services* services : named) {
    Result<LogoutTokenFacts> one = co_await verify(*services, jwt);
    if (!one) co_return refuse(*services, std::move(one).error());
    verified.push_back(std::move(*one));
  }
  // One that ended at the first time already may be what is left of a token of which another did not.
  std::size_t replayed = 0;
  for (std::size_t i = 0; i < named.size(); ++i) {
    Services& services = *named[i];
    const LogoutTokenFacts each = verified[i];
    Result<void> done = co_await in_worker(services, act(services, each));
    if (done) continue;
    const bool again = done.error().code == Errc::logout_token_replayed;
    if (!again || ++replayed == named.size()) {
      co_return refuse(services, std::move(done).error());
    }
  }
  co_return answer(*named.front(), 200, Error{Errc::none, {}});
}

}  // namespace oidc
