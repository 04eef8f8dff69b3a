#include "save_tokens.h"

#include <algorithm>

#include "cookie_session.h"
#include "oidc/outage.h"
#include "session_index.h"
#include "steps.h"
#include "token_fields.h"

namespace oidc {
namespace {

using Session = std::shared_ptr<const OpenSession>;

constexpr int kTries = 4;

SavedTokens saved(RefreshResult::Kind kind, Session session, Error why) {
  SavedTokens answer;
  answer.result = {kind, std::move(session), std::move(why)};
  return answer;
}

struct Sealed {
  std::string envelope;
  Session session;
};

Result<Sealed> seal(Services& services, const OpenSession& under, const SessionRecord& record) {
  std::string bytes = encode_record(record);
  Sealed sealed;
  sealed.envelope = seal_envelope(bytes, under.cookie().sid_view(), services.keys,
                                  services.settings.identity);
  auto session = OpenSession::make(under.cookie(), under.key(),
                                   std::string(envelope_generation(sealed.envelope)),
                                   std::move(bytes));
  if (!session) return std::move(session).error();
  sealed.session = std::move(*session);
  return sealed;
}

// `current` with the tokens of `fresh`.
Result<Sealed> merge(Services& services, const OpenSession& current, const OpenSession& fresh) {
  SessionRecord record = current.record();
  take_tokens(record, fresh.record());
  return seal(services, current, record);
}

bool same_tokens(const SessionRecord& a, const SessionRecord& b) {
  return a.refresh_token == b.refresh_token && a.access_token == b.access_token;
}

// A logout that the store has not heard of yet.
bool was_logged_out_here(Services& services, const OpenSession& session) {
  if (services.settings.session.outage_cached == 0) return false;
  const std::vector<StoreKey> keys = keys_of(session);
  return std::any_of(keys.begin(), keys.end(), [&](const StoreKey& key) {
    return was_logged_out(services.shared, key);
  });
}

// After the record was written over: a logout that went by meanwhile takes it back.
Task<Result<void>> check_still_there(Services& services, Session session) {
  const Membership who = membership_of(session->key(), session->record());
  const Seconds began = session->record().created;
  Result<void> there = co_await check_not_logged_out(services, who, began);
  if (there && was_logged_out_here(services, *session)) there = Errc::session_logged_out;
  if (there || there.error().code != Errc::session_logged_out) co_return there;
  const Result<void> erased = co_await erase_session(services, session);
  if (!erased) services.log.write(LogLevel::warn, erased.error().code, erased.error().detail);
  co_return there;
}

Task<SavedTokens> stored(Services& services, Session session) {
  const Result<void> there = co_await check_still_there(services, session);
  if (there) co_return saved(RefreshResult::Kind::refreshed, session, {});
  const bool over = there.error().code == Errc::session_logged_out;
  co_return saved(over ? RefreshResult::Kind::ended : RefreshResult::Kind::failed, nullptr,
                  there.error());
}

// Nothing can hold these tokens, and those before them are used up.
Task<SavedTokens> give_up(Services& services, Session current, Error why) {
  services.log.write(info(why.code).level, why.code, why.detail);
  const Result<void> erased = co_await erase_sessions(services, keys_of(*current));
  if (!erased) services.log.write(LogLevel::warn, erased.error().code, erased.error().detail);
  co_return saved(RefreshResult::Kind::ended, nullptr, std::move(why));
}

}  // namespace

Result<Session> with_tokens(Services& services, const OpenSession& redeemed,
                            const TokenResponse& tokens) {
  SessionRecord record = redeemed.record();
  record.access_token = tokens.access_token;
  record.access_expires = access_expiry(tokens);
  record.tokens_since = services.loop.now();
  if (!tokens.refresh_token.empty()) record.refresh_token = tokens.refresh_token;
  if (!tokens.id_token.empty()) {
    record.id_token = tokens.id_token;
    record.jwk = tokens.id_token_jwk;
  }
  if (!tokens.scope.empty()) record.scope = tokens.scope;
  Result<Sealed> sealed = seal(services, redeemed, record);
  if (!sealed) return std::move(sealed).error();
  return std::move(sealed->session);
}

Result<Session> with_userinfo(Services& services, const OpenSession& session,
                              const UserinfoText& userinfo) {
  SessionRecord record = session.record();
  record.introspection = userinfo.json;
  record.answer_jwt = userinfo.jwt;
  record.userinfo_since = services.loop.now();
  Result<Sealed> sealed = seal(services, session, record);
  if (!sealed) return std::move(sealed).error();
  return std::move(sealed->session);
}

Task<RefreshResult> read_again(Services& services, Session known) {
  SessionLookup now = co_await read_known_session(services, known);
  RefreshResult result;
  result.session = std::move(now.session);
  result.why = std::move(now.why);
  if (now.kind == SessionLookup::Kind::found) result.kind = RefreshResult::Kind::refreshed;
  if (now.kind == SessionLookup::Kind::none) result.kind = RefreshResult::Kind::ended;
  co_return result;
}

Task<SavedTokens> save_tokens(Services& services, Session redeemed, Session fresh) {
  Session current = redeemed;
  SavedTokens answer;
  for (int i = 0; i < kTries; ++i) {
    if (was_logged_out_here(services, *current)) {
      const Error over{Errc::session_logged_out, {}};
      co_return saved(RefreshResult::Kind::ended, nullptr, over);
    }
    Result<Sealed> merged = merge(services, *current, *fresh);
    if (!merged) {
      co_return saved(RefreshResult::Kind::failed, nullptr, std::move(merged).error());
    }
    const Milliseconds ttl =
        record_ttl(current->record(), services.settings.session, services.loop.now());
    if (ttl.count() <= 0) {
      const Error over{Errc::session_expired, {}};
      co_return saved(RefreshResult::Kind::ended, nullptr, over);
    }
    const Result<void> fits = check_fits(services, *merged->session);
    if (!fits) co_return co_await give_up(services, current, fits.error());
    const StoreWrite written = co_await services.store.replace(
        current->key(), current->generation(), merged->envelope, ttl);
    if (written.status == StoreStatus::hit) co_return co_await stored(services, merged->session);
    answer.unsaved = true;
    answer.detail = written.detail;
    if (written.status == StoreStatus::error) co_return answer;
    // Somebody else wrote. Tokens that came of another refresh stay; a new sid gets these.
    RefreshResult now = co_await read_again(services, redeemed);
    answer.detail = now.why.detail;
    if (now.kind == RefreshResult::Kind::failed) co_return answer;
    answer.unsaved = false;
    answer.result = now;
    if (now.kind == RefreshResult::Kind::ended) co_return answer;
    if (!same_tokens(now.session->record(), redeemed->record())) co_return answer;
    current = now.session;
  }
  answer.unsaved = true;
  co_return answer;
}

}  // namespace oidc
