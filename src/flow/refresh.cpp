#include <algorithm>

#include "oidc/provider.h"
#include "oidc/refreshes.h"
#include "refresh_lock.h"
#include "revocation.h"
#include "session_index.h"
#include "steps.h"

namespace oidc {
namespace {

using Session = std::shared_ptr<const OpenSession>;

// A result that could not be stored is stored again while the lock is ours, so often at most.
constexpr Milliseconds kUnsavedRetry{500};
constexpr int kUnsavedTries = 60;
// How often somebody looks whether another machine has stored what it got.
constexpr Milliseconds kFirstPause{20};
constexpr Milliseconds kLongestPause{100};
// Without the lock another machine could have won: it gets this much time to store.
constexpr int kSiblingLooks = 4;
constexpr Milliseconds kSiblingPause{250};

RefreshResult refreshed(Session session) {
  return {RefreshResult::Kind::refreshed, std::move(session), {}};
}
RefreshResult ended(Error why) { return {RefreshResult::Kind::ended, nullptr, std::move(why)}; }
RefreshResult failed(Error why) { return {RefreshResult::Kind::failed, nullptr, std::move(why)}; }

// The stored record as it is now.
Task<RefreshResult> read_again(Services& services, Session known) {
  const StoreRead read = co_await services.store.read(known->key());
  if (read.status == StoreStatus::error) {
    co_return failed(Error{Errc::store_unavailable, read.detail});
  }
  if (read.status == StoreStatus::miss) co_return ended(Error{Errc::session_expired, {}});
  auto session = open_session(read.envelope, known->cookie(), known->key(), services.keys,
                              services.settings.identity);
  if (!session) co_return ended(std::move(session).error());
  co_return refreshed(std::move(*session));
}

Task<Result<TokenResponse>> redeem(Services& services, Session session) {
  auto metadata = co_await services.provider.metadata();
  if (!metadata) co_return std::move(metadata).error();
  const ClientSettings& client = services.settings.client;
  HttpRequest request = client_request((*metadata)->token_endpoint,
                                       refresh_grant(session->record().refresh_token.text()), client,
                                       choose_client_auth(client, **metadata));
  const Result<HttpResponse> response = co_await services.http.send(std::move(request));
  if (!response) co_return response.error();
  Result<TokenResponse> tokens = read_token_response(*response, services.loop.now());
  if (!tokens || tokens->id_token.empty()) co_return tokens;
  IdTokenDemand demand;
  demand.nonce = session->record().nonce;
  demand.nonce_required = false;
  demand.access_token = tokens->access_token;
  demand.subject = session->record().subject;
  demand.auth_time = session->record().auth_time;
  const Result<IdTokenFacts> facts = co_await verify_id_token(services, tokens->id_token, demand);
  if (!facts) co_return facts.error();
  co_return tokens;
}

// The record with the new tokens; a token that did not come stays the old one.
std::string renewed_record(const SessionRecord& old, const TokenResponse& tokens, Seconds now) {
  SessionRecord record = old;
  record.access_token = tokens.access_token;
  record.access_expires = access_expiry(tokens);
  record.tokens_since = now;
  if (!tokens.refresh_token.empty()) record.refresh_token = tokens.refresh_token;
  if (!tokens.id_token.empty()) record.id_token = tokens.id_token;
  if (!tokens.scope.empty()) record.scope = tokens.scope;
  return encode_record(record);
}

struct Renewed {
  std::string envelope;
  Session session;
};

Result<Renewed> renew(Services& services, const OpenSession& old, const TokenResponse& tokens) {
  std::string bytes = renewed_record(old.record(), tokens, services.loop.now());
  Renewed renewed;
  renewed.envelope = seal_envelope(bytes, old.cookie().sid_view(), services.keys,
                                   services.settings.identity);
  auto session = OpenSession::make(old.cookie(), old.key(),
                                   std::string(envelope_generation(renewed.envelope)),
                                   std::move(bytes));
  if (!session) return std::move(session).error();
  renewed.session = std::move(*session);
  return renewed;
}

// Writes over the version that was read, and nothing else: a logout in between wins.
Task<StoreWrite> save(Services& services, Session old, std::string envelope) {
  const Milliseconds ttl = store_ttl(old->record().absolute_end,
                                     services.settings.session.idling_timeout,
                                     services.loop.now());
  co_return co_await services.store.replace(old->key(), old->generation(), std::move(envelope),
                                            ttl);
}

// After the record was written over: a logout that went through the index meanwhile takes it back.
Task<Result<void>> check_still_there(Services& services, Session session) {
  const Membership who = membership_of(session->key(), session->record());
  const Seconds began = session->record().created;
  const Result<void> there = co_await check_not_logged_out(services, who, began);
  if (there || there.error().code != Errc::session_logged_out) co_return there;
  const StoreWrite erased = co_await services.store.erase(session->key());
  if (erased.status == StoreStatus::error) {
    services.log.write(LogLevel::warn, Errc::store_unavailable, erased.detail);
  }
  co_return there;
}

// The rotated tokens exist only here: keep them, and write again until the store takes them. Nobody
// else may send the old refresh token before.
Task<void> save_later(Services& services, Session old, std::string envelope, RefreshLock lock) {
  for (int i = 0; i < kUnsavedTries && services.loop.monotonic_ms() < lock.ends; ++i) {
    co_await sleep_for(services.loop, kUnsavedRetry);
    const StoreWrite written = co_await save(services, old, envelope);
    if (written.status == StoreStatus::error) continue;
    if (written.status == StoreStatus::hit) {
      const Result<void> there = co_await check_still_there(services, old);
      if (!there) services.log.write(LogLevel::warn, there.error().code, there.error().detail);
    }
    break;
  }
  services.refreshes.end(old->key());
  co_await release(services, lock);
}

Task<void> forget_later(Services& services, StoreKey key) {
  co_await sleep_for(services.loop, kFailureCounts);
  services.refreshes.end(key);
}

Task<RefreshResult> refused(Services& services, Session session, Error why) {
  // A sibling on another machine may have won, and be about to store what it got.
  for (int i = 0; i < kSiblingLooks; ++i) {
    RefreshResult now = co_await read_again(services, session);
    if (now.kind != RefreshResult::Kind::refreshed) co_return now;
    if (now.session->generation() != session->generation()) co_return now;
    co_await sleep_for(services.loop, kSiblingPause);
  }
  const StoreWrite erased = co_await services.store.erase(session->key());
  if (erased.status == StoreStatus::error) {
    services.log.write(LogLevel::warn, Errc::store_unavailable, erased.detail);
  } else {
    const Membership who = membership_of(session->key(), session->record());
    co_await unindex_session(services, who);
  }
  co_return ended(Error{Errc::refresh_rejected, std::move(why.detail)});
}

// The record as it is once nobody else is at work on it, and the lock is ours; or the result that
// makes a refresh of our own needless.
struct Turn {
  bool ours = false;
  RefreshResult result;
};

Task<Turn> wait_for_turn(Services& services, Session known, RefreshLock& lock) {
  const std::uint64_t patience =
      services.loop.monotonic_ms() + 2 * static_cast<std::uint64_t>(lock.life.count());
  Milliseconds pause = kFirstPause;
  Turn turn;
  for (;;) {
    turn.result = co_await read_again(services, known);
    if (turn.result.kind != RefreshResult::Kind::refreshed) co_return turn;
    const SessionRecord& record = turn.result.session->record();
    if (!is_refresh_due(record, services.settings, services.loop.now())) co_return turn;
    turn.ours = lock.held;  // then nobody wrote since the record was read
    if (turn.ours) co_return turn;
    // Not under the lock: fetching it may take its time.
    auto metadata = co_await services.provider.metadata();
    if (!metadata) {
      turn.result = failed(std::move(metadata).error());
      co_return turn;
    }
    const LockTry got = co_await try_lock(services, lock);
    if (got == LockTry::ours) continue;
    if (got == LockTry::unknown || services.loop.monotonic_ms() > patience) {
      turn.result = failed(Error{Errc::store_unavailable, "no lock for the refresh"});
      co_return turn;
    }
    keep_lease(services, lock);
    co_await sleep_for(services.loop, pause);
    pause = std::min(2 * pause, kLongestPause);
  }
}

Task<RefreshResult> refresh(Services& services, Session known, RefreshLock& lock) {
  Turn turn = co_await wait_for_turn(services, known, lock);
  if (!turn.ours) co_return std::move(turn.result);
  const Session session = turn.result.session;
  Result<TokenResponse> tokens = co_await redeem(services, session);
  if (!tokens) {
    if (tokens.error().code == Errc::token_request_rejected) {
      co_return co_await refused(services, session, tokens.error());
    }
    co_return failed(std::move(tokens).error());
  }
  Result<Renewed> renewed = renew(services, *session, *tokens);
  if (!renewed) co_return failed(std::move(renewed).error());
  const StoreWrite written = co_await save(services, session, renewed->envelope);
  if (written.status == StoreStatus::hit) {
    const Result<void> there = co_await check_still_there(services, session);
    if (there) co_return refreshed(renewed->session);
    if (there.error().code != Errc::session_logged_out) co_return failed(there.error());
    revoke_tokens(services, tokens->access_token, tokens->refresh_token);
    co_return ended(there.error());
  }
  if (written.status == StoreStatus::miss) {
    RefreshResult now = co_await read_again(services, session);
    // Logged out meanwhile: the logout saw the tokens before these.
    if (now.kind == RefreshResult::Kind::ended) {
      revoke_tokens(services, tokens->access_token, tokens->refresh_token);
    }
    co_return now;
  }
  services.log.write(LogLevel::error, Errc::refresh_unsaved, written.detail);
  services.loop.spawn(save_later(services, session, renewed->envelope, lock));
  RefreshResult unsaved = refreshed(renewed->session);
  unsaved.why.code = Errc::refresh_unsaved;
  co_return unsaved;
}

Task<void> refresh_and_tell(Services& services, Session session, Refreshes::Arrival arrived) {
  RefreshLock lock(services, session->key());
  RefreshResult result = failed(Error{Errc::internal, "the refresh ended by an exception"});
  co_await take_lease(services, lock);
  const Errc lately = remembered_failure(services, lock);
  try {
    if (lately != Errc::none) {
      result = failed(Error{lately, "a moment ago, in another worker"});
    } else {
      result = co_await refresh(services, session, lock);
    }
  } catch (const std::exception&) {
    // What waits is told; the promise must never stay open.
  }
  const Errc why = result.why.code;
  const bool is_failure = result.kind == RefreshResult::Kind::failed;
  if (is_failure && lately == Errc::none) remember_failure(services, lock, why);
  arrived->set(std::move(result));
  if (why == Errc::refresh_unsaved) co_return;  // save_later ends it
  if (is_failure) {
    services.loop.spawn(forget_later(services, session->key()));
  } else {
    services.refreshes.end(session->key());
  }
  co_await release(services, lock);
}

// Who still has a living token waits for one call to the provider, not for what a dead worker left.
Milliseconds patience_of(const Services& services, const OpenSession& session) {
  const Milliseconds one_call(services.settings.provider.timeout_ms + 1000);
  if (!is_access_token_expired(session.record(), services.loop.now())) return one_call;
  return refresh_lock_life(services.settings);
}

}  // namespace

Task<RefreshResult> refresh_session(Services& services, Session session) {
  Refreshes::Arrival arriving = services.refreshes.find(session->key());
  if (!arriving) {
    arriving = services.refreshes.begin(session->key());
    services.loop.spawn(refresh_and_tell(services, session, arriving));
  }
  const Milliseconds patience = patience_of(services, *session);
  const auto result = co_await wait_for(services.loop, arriving, patience);
  if (!result) co_return failed(Error{Errc::provider_timeout, "the refresh did not end in time"});
  co_return *result;
}

}  // namespace oidc
