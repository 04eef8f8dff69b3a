#include "access_token_flow.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "answers.h"
#include "oidc/claims.h"
#include "oidc/cookie.h"
#include "oidc/crypto.h"
#include "oidc/form.h"
#include "oidc/provider.h"
#include "oidc/rules.h"
#include "oidc/token_cache.h"

namespace oidc {
namespace {

constexpr std::string_view kParameter = "access_token";
constexpr std::size_t kMostFields = 1024;
constexpr Seconds kPositiveAnswer = 60;  // of the provider

bool names_token(std::string_view text) { return text.find(kParameter) != std::string_view::npos; }

// RFC 6750 sections 2.2 and 2.3. The finder keeps views: `found` owns the value.
void look_at_form(TokenFinder& finder, std::string_view text, std::string& found) {
  Result<Form> form = Form::parse(text, kMostFields);
  if (!form) {
    if (names_token(text)) finder.found_fault(Errc::credential_malformed);
    return;
  }
  for (const FormField& field : form->fields()) {
    if (field.name != kParameter) continue;
    found = field.value;
    finder.look_at_value(found);
  }
  form->wipe();
}

void look_at_json(TokenFinder& finder, std::string_view text, std::string& found) {
  const Result<Json> json = parse_json_object(text);
  if (!json) {
    if (names_token(text)) finder.found_fault(Errc::credential_malformed);
    return;
  }
  const auto member = json->find(kParameter);
  if (member == json->end()) return;
  found = member->is_string() ? member->get<std::string>() : std::string();
  finder.look_at_value(found);
}

bool is_json(std::string_view content_type) {
  return content_type.starts_with("application/json");
}

// Which ways this token goes: it is verified here, the provider is asked about it, or both.
struct Ways {
  bool verify = false;
  std::optional<Asked> asked;
};
Ways ways_of(const Settings& settings, std::string_view token) {
  const CredentialSettings& credentials = settings.credentials;
  const bool jwt = looks_like_jwt(token);
  Ways ways;
  ways.verify = credentials.bearer && (jwt || !(credentials.introspection || credentials.userinfo));
  if (credentials.introspection && (!ways.verify || settings.introspection.jwts)) {
    ways.asked = Asked::introspection;
  } else if (credentials.userinfo && !ways.verify) {
    ways.asked = Asked::userinfo;
    ways.verify = jwt || parse_jwt(token).ok();  // before anybody is asked
  }
  return ways;
}

bool is_answer_kept(const Settings& settings, Asked asked) {
  return asked == Asked::userinfo ? settings.userinfo.cache : settings.introspection.cache;
}

TokenCache::Judgement judgement_of(const Result<TokenSession>& judged) {
  TokenCache::Judgement judgement;
  if (judged) {
    judgement.session = *judged;
  } else {
    judgement.why = judged.error();
  }
  return judgement;
}

Result<TokenSession> answer_of(const TokenCache::Judgement& known) {
  if (known.session) return known.session;
  return known.why;
}

// Refusals that the same token would meet again in a moment, after a signature or a call.
bool lasts(Errc refusal) {
  return refusal == Errc::token_inactive || refusal == Errc::access_token_aud ||
         refusal == Errc::scope_insufficient || refusal == Errc::forbidden ||
         refusal == Errc::claims_elsewhere ||
         refusal == Errc::insufficient_user_authentication;
}

struct Judged {
  Result<TokenSession> session = Errc::internal;
  std::optional<std::uint64_t> keys;  // that verified it, and are the present ones
};

// How long an acceptance is kept, without regard to the token's own end.
Seconds kept_for(const AccessTokenSettings& settings, const Ways& ways) {
  const Seconds longest = ways.asked ? kPositiveAnswer : kLongestTokenEntry;
  return settings.cache_max == 0 ? longest : std::min(longest, settings.cache_max);
}

// What the provider said of a token serves for a while; a signature as long as its keys do.
void remember(Services& services, std::string_view token, const Ways& ways, const Judged& result) {
  const Result<TokenSession>& judged = result.session;
  const Settings& settings = services.settings;
  if (services.tokens == nullptr || (ways.asked && !is_answer_kept(settings, *ways.asked))) return;
  if (ways.verify && judged && !result.keys) return;
  if (!judged && (!lasts(judged.error().code) || settings.access_token.cache_negative == 0)) return;
  const Seconds now = services.loop.now();
  TokenCache::Judgement judgement = judgement_of(judged);
  const AccessTokenSettings& kept = settings.access_token;
  judgement.until = now + (judged ? kept_for(kept, ways) : kept.cache_negative);
  if (judged) {
    const SessionRecord& record = (*judged)->record();
    if (record.access_expires != 0) {
      judgement.until = std::min(judgement.until, record.access_expires);
    }
    const Seconds max_age = settings.authorization.max_age.value_or(0);
    if (max_age > 0) {
      judgement.until = std::min(judgement.until, add_saturated(record.auth_time, max_age));
    }
  }
  if (ways.verify && judged) judgement.keys = result.keys;
  services.tokens->keep(settings, token, std::move(judgement));
}

// What the provider says now, of a token that says the same: its signed times hold as well.
Result<TokenSession> both(AccessTokenFacts facts, const OpenSession& asked_about, Seconds now) {
  const SessionRecord& record = asked_about.record();
  const bool userinfo = record.method == static_cast<std::uint8_t>(Method::userinfo);
  if (!record.subject.empty() && record.subject != facts.subject) {
    return Error{userinfo ? Errc::userinfo_sub : Errc::introspection_invalid,
                 "another sub than the token's"};
  }
  if (record.access_expires != 0) facts.expires = std::min(facts.expires, record.access_expires);
  if (!record.scope.empty()) facts.scope = record.scope;
  if (!record.acr.empty()) facts.acr = record.acr;
  if (record.auth_time != 0) facts.auth_time = record.auth_time;
  facts.answer_jwt = record.answer_jwt;
  const Method method = userinfo ? Method::userinfo : Method::bearer;
  return make_token_session(method, record.access_token, facts, record.introspection, now);
}

Task<Judged> judge(Services& services, std::string token, Ways ways) {
  Judged judged;
  if (!ways.verify) {
    judged.session = co_await ask_provider(services, token, *ways.asked);
    co_return judged;
  }
  const Result<VerifiedToken> verified = co_await verify_access_token(services, token);
  if (!verified) {
    judged.session = verified.error();
    co_return judged;
  }
  judged.keys = verified->keys;
  if (!ways.asked) {
    judged.session =
        make_token_session(Method::bearer, token, verified->facts, {}, services.loop.now());
    co_return judged;
  }
  judged.session = co_await ask_provider(services, token, *ways.asked);
  if (!judged.session) co_return judged;
  const TokenSession asked_about = *judged.session;
  judged.session = both(verified->facts, *asked_about, services.loop.now());
  co_return judged;
}

// oidc_jwt_session_cookie: the browser's session at the application, and the one that the token was
// issued for, are one.
bool is_of_browser(const Settings& settings, const RequestFacts& facts,
                   const OpenSession& session) {
  const AccessTokenSettings& wanted = settings.access_token;
  if (wanted.session_cookie.empty()) return true;
  const Claims claims(session.record());
  const Json* claim = wanted.session_claim ? claims.find(*wanted.session_claim) : nullptr;
  if (claim == nullptr || !claim->is_string()) return false;
  const std::string& expected = claim->get_ref<const std::string&>();
  std::size_t seen = 0;
  bool equal = false;
  for (const std::string& header : facts.cookie_headers) {
    CookieReader reader(header);
    while (const std::optional<CookiePair> pair = reader.next()) {
      if (pair->name != wanted.session_cookie) continue;
      ++seen;
      equal = constant_time_equal(pair->value, expected);
    }
  }
  return seen == 1 && equal && !expected.empty();
}

}  // namespace

PresentedToken presented_token(const Settings& settings, const RequestFacts& facts,
                               std::string_view body) {
  const CredentialSettings& credentials = settings.credentials;
  if (!accepts_access_tokens(settings)) return {};
  TokenFinder finder(credentials);
  for (const std::string& value : facts.authorization) {
    finder.look_at_header("authorization", value);
  }
  for (const auto& [name, value] : facts.token_headers) finder.look_at_header(name, value);
  for (const std::string& header : facts.cookie_headers) finder.look_at_cookies(header);
  std::string in_query, in_body;
  if (credentials.bearer_places.query) look_at_form(finder, facts.query, in_query);
  if (credentials.bearer_places.body && !body.empty()) {
    is_json(facts.content_type) ? look_at_json(finder, body, in_body)
                                : look_at_form(finder, body, in_body);
  }
  PresentedToken presented;
  if (!finder.present()) return presented;
  presented.fault = finder.fault();
  if (presented.fault == Errc::none) presented.token = finder.token();
  return presented;
}

Result<TokenSession> allowed(const Settings& settings, TokenSession session, Seconds now) {
  const Rules* rules = settings.rules.get();
  const Claims claims(session->record());
  if (rules != nullptr && !rules->meets_audience(claims)) return Errc::access_token_aud;
  if (!is_strong_enough(session->record(), settings, now)) {
    return Errc::insufficient_user_authentication;
  }
  if (rules == nullptr) return session;
  Result<void> checked = rules->check(claims);
  if (!checked) return std::move(checked).error();
  return session;
}

AccessTokenExpectations expectations(const Settings& settings, Seconds now) {
  AccessTokenExpectations expected;
  expected.issuer = settings.provider.issuer;
  expected.issuers = &settings.access_token.issuers;
  expected.typ = settings.access_token.typ;
  expected.ignore_confirmation = settings.access_token.ignore_confirmation;
  expected.now = now;
  expected.leeway = settings.token.leeway;
  return expected;
}

Result<TokenSession> make_token_session(Method method, std::string_view token,
                                        const AccessTokenFacts& facts,
                                        std::string_view introspection, Seconds now) {
  SessionRecord record;
  record.method = static_cast<std::uint8_t>(method);
  record.created = now;
  record.access_expires = facts.expires;
  record.tokens_since = now;
  record.subject = facts.subject;
  record.scope = facts.scope;
  record.acr = facts.acr;
  record.auth_time = facts.auth_time;
  record.access_token = token;
  record.introspection = introspection;
  record.answer_jwt = facts.answer_jwt;
  record.jwk = facts.jwk;
  return OpenSession::make({}, {}, {}, encode_record(record));
}

Task<Outcome> access_token_flow(Services& services, Facts facts, PresentedToken presented) {
  if (presented.fault != Errc::none) {
    co_return refuse_token(services, *facts, Error{presented.fault, {}});
  }
  const Settings& settings = services.settings;
  const std::string token = std::move(presented.token);
  const TokenCache::Judgement* known =
      services.tokens == nullptr
          ? nullptr
          : services.tokens->find(settings, token, services.loop.now(),
                                  services.provider.keys_version());
  Judged judged;
  if (known != nullptr) {
    judged.session = answer_of(*known);
  } else {
    const Ways ways = ways_of(settings, token);
    judged = co_await judge(services, token, ways);
    if (judged.session) judged.session = allowed(settings, *judged.session, services.loop.now());
    remember(services, token, ways, judged);
  }
  // With each request, also of a token that is known: the cookie is the request's own.
  if (judged.session && !is_of_browser(settings, *facts, **judged.session)) {
    judged.session = Errc::access_token_session;
  }
  if (!judged.session) {
    const bool too_little = judged.session.error().code == Errc::scope_insufficient;
    const std::string scope =
        too_little && settings.rules ? settings.rules->wanted_scope() : std::string();
    co_return refuse_token(services, *facts, judged.session.error(), scope);
  }
  co_return pass(services, *judged.session);
}

}  // namespace oidc
