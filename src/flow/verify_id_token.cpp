#include <algorithm>
#include <cctype>

#include <algorithm>
#include <array>

#include "oidc/provider.h"
#include "steps.h"

namespace oidc {
namespace {

constexpr AlgSet hs_algs() {
  AlgSet algs;
  for (const Alg alg : {Alg::HS256, Alg::HS384, Alg::HS512}) algs.add(alg);
  return algs;
}

// Configured and, where the provider says what it uses, announced.
Result<void> check_alg(const Jwt& jwt, const Settings& settings, const ProviderMetadata& metadata) {
  AlgSet allowed = settings.token.id_token_algs;
  if (metadata.id_token_algs) allowed = allowed.intersect(*metadata.id_token_algs);
  if (hs_algs().has(jwt.alg) && !settings.token.hs_signatures) allowed = {};
  if (allowed.has(jwt.alg)) return {};
  return Error{Errc::jwt_alg_not_allowed, std::string(to_string(jwt.alg))};
}

// Explicit types of other tokens (RFC 8725 section 3.11), compared as media types: without case, and
// with or without "application/" (RFC 7515 section 4.1.9).
bool is_another_type(const Jwt& jwt) {
  constexpr std::string_view kApplication = "application/";
  std::string type = jwt.typ;
  std::transform(type.begin(), type.end(), type.begin(), [](unsigned char c) {
    return static_cast<char>(c >= 'A' && c <= 'Z' ? c + 32 : c);
  });
  std::string_view name = type;
  if (name.starts_with(kApplication)) name.remove_prefix(kApplication.size());
  constexpr std::array<std::string_view, 5> kOthers = {"at+jwt", "logout+jwt", "dpop+jwt",
                                                       "secevent+jwt", "token-introspection+jwt"};
  return std::find(kOthers.begin(), kOthers.end(), name) != kOthers.end();
}

// Sets that other workers had fetched meanwhile, before the provider is asked for one.
constexpr int kMostKeySets = 2;

// The key that signed it, as JSON.
Task<Result<std::string>> verify_by_key_set(Services& services, std::shared_ptr<const Jwt> jwt,
                                            KeyBudget budget) {
  auto known = co_await services.provider.keys();
  if (!known) co_return std::move(known).error();
  std::shared_ptr<const KeySet> keys = *known;
  bool asked = false;
  for (int i = 0;; ++i) {
    Result<const Jwk*> verified = verifying_key(*jwt, *keys);
    if (verified) co_return (*verified)->json;
    const Error wrong = std::move(verified).error();
    const Errc reason = wrong.code;
    if (reason != Errc::jwt_key_unknown && reason != Errc::jwt_signature) co_return wrong;
    if (asked || i == kMostKeySets) co_return wrong;
    auto newer = co_await services.provider.newer_keys(keys, budget);
    if (!newer || newer->keys == keys) {
      // A provider does not send a logout token again that was called wrong.
      if (budget != KeyBudget::logout_token || reason != Errc::jwt_key_unknown) co_return wrong;
      co_return Error{Errc::keys_unavailable, "the provider was asked a moment ago, or is away"};
    }
    keys = newer->keys;
    asked = newer->asked;
  }
}

// The key that signed it, as JSON; empty: the client's secret did.
Task<Result<std::string>> signing_key(Services& services, std::shared_ptr<const Jwt> jwt,
                                      KeyBudget budget) {
  auto metadata = co_await services.provider.metadata();
  if (!metadata) co_return std::move(metadata).error();
  Result<void> allowed = check_alg(*jwt, services.settings, **metadata);
  if (!allowed) co_return std::move(allowed).error();
  if (!hs_algs().has(jwt->alg)) co_return co_await verify_by_key_set(services, jwt, budget);
  const Result<void> verified = verify_hmac(*jwt, services.settings.client.secret);
  if (!verified) co_return verified.error();
  co_return std::string();
}

}  // namespace

Task<Result<void>> verify_provider_signature(Services& services, std::shared_ptr<const Jwt> jwt,
                                             KeyBudget budget) {
  const Result<std::string> key = co_await signing_key(services, jwt, budget);
  if (!key) co_return key.error();
  co_return Result<void>();
}

Task<Result<IdTokenFacts>> verify_id_token(Services& services, std::string id_token,
                                           IdTokenDemand demand) {
  const Settings& settings = services.settings;
  Result<Jwt> parsed = parse_jwt(id_token);
  if (!parsed) co_return std::move(parsed).error();
  if (is_another_type(*parsed)) co_return Error{Errc::jwt_typ, "not an ID token"};
  const auto jwt = std::make_shared<const Jwt>(std::move(*parsed));
  Result<std::string> key = co_await signing_key(services, jwt, KeyBudget::callback);
  if (!key) co_return std::move(key).error();

  IdTokenExpectations expected;
  expected.issuer = settings.provider.issuer;
  expected.client_id = demand.client_id.empty() ? settings.client.id : demand.client_id;
  expected.further_audiences = &settings.token.id_token_audiences;
  expected.now = services.loop.now();
  expected.leeway = settings.token.leeway;
  expected.nonce = demand.nonce;
  expected.nonce_required = demand.nonce_required;
  expected.access_token = demand.access_token;
  expected.code = demand.code;
  expected.subject = demand.subject;
  expected.auth_time = demand.auth_time;
  if (demand.check_authentication) {
    expected.max_age = settings.authorization.max_age;
    expected.acr_values = &settings.authorization.acr_values;
  }
  Result<IdTokenFacts> facts = check_id_token(*jwt, expected);
  if (facts && settings.headers.keep_jwk) facts->jwk = std::move(*key);
  co_return facts;
}

Task<Result<void>> reverify_session(Services& services,
                                    std::shared_ptr<const OpenSession> session) {
  const Settings& settings = services.settings;
  const SessionRecord& record = session->record();
  Result<Jwt> parsed = parse_jwt(record.id_token.text());
  if (!parsed) co_return std::move(parsed).error();
  const auto jwt = std::make_shared<const Jwt>(std::move(*parsed));
  // Of sessions with keys that are gone there may be many: logins keep their own turns.
  Result<void> verified = co_await verify_provider_signature(services, jwt, KeyBudget::access_token);
  if (!verified) co_return verified;
  IdTokenExpectations expected;
  expected.issuer = settings.provider.issuer;
  expected.client_id = settings.client.id;
  expected.further_audiences = &settings.token.id_token_audiences;
  expected.now = numeric_date(jwt->claims, "iat").value_or(0);
  expected.leeway = settings.token.leeway;
  expected.nonce = record.nonce;
  expected.nonce_required = false;
  expected.subject = record.subject;
  const Result<IdTokenFacts> facts = check_id_token(*jwt, expected);
  if (!facts) co_return facts.error();
  co_return Result<void>();
}

}  // namespace oidc
