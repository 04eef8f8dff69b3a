#include "grant_flow.h"

#include <algorithm>

#include "answers.h"
#include "oidc/crypto.h"
#include "oidc/provider.h"
#include "oidc/token_cache.h"

namespace oidc {
namespace {

constexpr Seconds kAskedAbout = 60;      // an introspection endpoint's word
constexpr Seconds kLongestGrant = 3600;  // so long a password may be good that was changed
constexpr Seconds kUnknownLife = 300;

// The credential itself is kept nowhere: what finds it again is its MAC under a key of the process.
// No token holds the zero byte that goes before it.
std::string cache_key(const GrantCall& call) {
  static const HmacKey key(random_string(32));
  std::string fields;
  append_field(fields, std::string_view(reinterpret_cast<const char*>(&call.grant.method), 1));
  append_field(fields, call.grant.name.view());
  append_field(fields, call.grant.secret.view());
  for (const auto* list : {&call.extras.args, &call.extras.headers}) {
    append_field(fields, std::to_string(list->size()));
    for (const auto& [name, value] : *list) {
      append_field(fields, name);
      append_field(fields, value);
    }
  }
  const Sha256 mac = key.sign(fields);
  cleanse(fields);
  std::string name("grant");
  name.push_back('\0');
  return name.append(as_view(mac));
}

std::string caller_of(const Settings& settings, const RequestFacts& facts,
                      const PresentedGrant& grant) {
  if (grant.name.empty()) return {};
  std::string name(grant.name.view());
  // One user to most providers.
  for (char& c : name) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
  std::string fields = settings.provider.issuer;
  append_field(fields, name);
  append_field(fields, facts.remote_addr);
  const Sha256 hash = sha256(fields);
  std::string key("failures ");
  return key.append(as_view(hash));
}

// What the same credential would meet again at once. Not what says that nobody could be asked.
bool lasts(Errc refusal) {
  const int status = info(refusal).status;
  return refusal != Errc::credential_throttled && refusal != Errc::internal &&
         refusal != Errc::provider_tls && refusal != Errc::provider_status && status != 503 &&
         status != 504;
}

Seconds end_of(const GrantedTokens& granted, const Settings& settings, Seconds now) {
  const SessionRecord& record = granted.session->record();
  const Seconds end = record.access_expires;
  Seconds until = now + kUnknownLife;
  // Not to the last second: the token still has a way to go.
  if (end != 0) until = end - std::min(settings.token.refresh_before, (end - now) / 4);
  until = std::min(until, now + (granted.asked ? kAskedAbout : kLongestGrant));
  const Seconds longest = settings.access_token.cache_max;
  if (longest != 0) until = std::min(until, now + longest);
  const Seconds max_age = settings.authorization.max_age.value_or(0);
  if (max_age > 0) until = std::min(until, add_saturated(record.auth_time, max_age));
  return until;
}

using Judgement = TokenCache::Judgement;

Task<Judgement> judge_grant(Services& services, std::shared_ptr<const GrantCall> call) {
  const Settings& settings = services.settings;
  Judgement judgement;
  const Result<GrantedTokens> granted = co_await redeem_grant(services, call);
  const Seconds now = services.loop.now();
  judgement.until = now + settings.access_token.cache_negative;
  if (!granted) {
    judgement.why = granted.error();
    co_return judgement;
  }
  Result<TokenSession> session = allowed(settings, granted->session, now);
  if (!session) {
    judgement.why = std::move(session).error();
    co_return judgement;
  }
  judgement.session = *session;
  judgement.keys = granted->keys;
  judgement.replay = granted->replay;
  judgement.until = end_of(*granted, settings, now);
  const bool unkept = granted->asked && !settings.introspection.cache;
  if (unkept || (granted->verified && !granted->keys)) judgement.until = now;
  co_return judgement;
}

TokenCache::Answer answer_of(const Judgement& judgement) {
  if (judgement.session) return judgement.session;
  return judgement.why;
}

void keep(Services& services, const std::string& key, const Judgement& judgement) {
  if (!judgement.session && !lasts(judgement.why.code)) return;
  if (judgement.until <= services.loop.now()) return;
  services.tokens->keep(services.settings, key, judgement);
}

// Belongs to the worker: a refresh token that was sent is used up, whoever still waits.
Task<void> judge_for_all(Services& services, std::string key,
                         std::shared_ptr<const GrantCall> call, TokenCache::Arrival arrival) {
  std::shared_ptr<TokenCache::Answer> answer;
  try {
    answer = std::make_shared<TokenCache::Answer>(Error{Errc::internal, "exchanging credentials"});
    const Judgement judgement = co_await judge_grant(services, std::move(call));
    *answer = answer_of(judgement);
    keep(services, key, judgement);
  } catch (const std::exception&) {
    // Who waits is told.
  }
  services.tokens->end(services.settings, key);
  arrival->set(std::move(answer));
}

TokenCache::Arrival begin(Services& services, const std::string& key,
                          std::shared_ptr<const GrantCall> call) {
  TokenCache::Arrival arrival = services.tokens->begin(services.settings, key);
  if (arrival == nullptr) return nullptr;
  try {
    services.loop.spawn(judge_for_all(services, key, std::move(call), arrival));
  } catch (...) {
    services.tokens->end(services.settings, key);
    throw;
  }
  return arrival;
}

Task<TokenCache::Answer> exchange(Services& services, std::shared_ptr<const GrantCall> call) {
  const Settings& settings = services.settings;
  if (services.tokens == nullptr) {
    const Judgement judgement = co_await judge_grant(services, call);
    co_return answer_of(judgement);
  }
  const std::string key = cache_key(*call);
  TokenCache& cache = *services.tokens;
  const Judgement* known =
      cache.find(settings, key, services.loop.now(), services.provider.keys_version());
  if (known != nullptr) co_return answer_of(*known);
  TokenCache::Arrival arrival = cache.under_way(settings, key);
  if (arrival == nullptr) {
    const Result<void> few = check_failures(services, call->who);
    if (!few) co_return few.error();
    arrival = begin(services, key, call);
    if (arrival == nullptr) {
      co_return Error{Errc::provider_overloaded, "too many calls for credentials are under way"};
    }
  }
  // Discovery, the call, the key set and the introspection, each with its own end.
  const Milliseconds patience(4 * settings.provider.timeout_ms + 2000);
  const auto answer = co_await wait_for(services.loop, arrival, patience);
  if (!answer) co_return Error{Errc::provider_timeout, "exchanging credentials"};
  if (!*answer) co_return Error{Errc::internal, "exchanging credentials"};
  co_return **answer;
}

// With each request that the tokens let in, as the answer to the first one.
std::vector<std::pair<std::string, std::string>> headers_to_replay(Services& services,
                                                                   const GrantCall& call) {
  if (call.extras.keep_headers.empty() || services.tokens == nullptr) return {};
  const Judgement* known =
      services.tokens->find(services.settings, cache_key(call), services.loop.now(),
                            services.provider.keys_version());
  if (known == nullptr) return {};
  return known->replay;
}

std::shared_ptr<const GrantCall> call_of(const Settings& settings, const RequestFacts& facts,
                                         PresentedGrant presented) {
  auto call = std::make_shared<GrantCall>();
  call->extras = token_extras(settings, facts, Copies::yes);
  call->who = caller_of(settings, facts, presented);
  call->grant = std::move(presented);
  return call;
}

bool is_empty(const PresentedGrant& presented) {
  const bool unnamed = presented.name.empty() && presented.method != Method::refresh_token;
  return unnamed || presented.secret.empty();
}

}  // namespace

PresentedGrant presented_grant(const Settings& settings, const RequestFacts& facts) {
  const GrantSources sources{facts.authorization, facts.token_headers, facts.query,
                             facts.body == nullptr ? std::string_view() : facts.body->view(),
                             facts.content_type};
  return find_grant(settings.credentials, sources);
}

Task<Outcome> grant_flow(Services& services, Facts facts, PresentedGrant presented) {
  const bool basic = presented.basic;
  if (presented.fault != Errc::none) {
    co_return refuse_grant(services, *facts, Error{presented.fault, {}}, basic);
  }
  if (is_empty(presented)) {
    const Error empty{Errc::credential_rejected, "empty"};
    co_return refuse_grant(services, *facts, empty, basic);
  }
  const auto call = call_of(services.settings, *facts, std::move(presented));
  const TokenCache::Answer answer = co_await exchange(services, call);
  if (!answer) co_return refuse_grant(services, *facts, answer.error(), basic);
  Outcome outcome = pass(services, *answer);
  outcome.headers = headers_to_replay(services, *call);
  co_return outcome;
}

}  // namespace oidc
