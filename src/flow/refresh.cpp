#include <algorithm>

#include "decrypt.h"
#include "oidc/provider.h"
#include "oidc/refreshes.h"
#include "refresh_lock.h"
#include "remember.h"
#include "revocation.h"
#include "save_tokens.h"
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

Task<Result<TokenResponse>> redeem(Services& services, Session session, TokenExtras extras) {
  auto metadata = co_await services.provider.metadata();
  if (!metadata) co_return std::move(metadata).error();
  Form form = refresh_grant(session->record().refresh_token.text());
  extras.add_to(form);
  HttpRequest request = client_request(ClientEndpoint::token, **metadata, services.settings,
                                       std::move(form), services.loop.now());
  extras.add_to(request);
  const Result<HttpResponse> response = co_await services.http.send(std::move(request));
  if (!response) co_return response.error();
  Result<TokenResponse> tokens = read_token_response(*response, services.loop.now());
  if (!tokens || tokens->id_token.empty()) co_return tokens;
  Result<std::string> id_token = signed_part(services.settings, std::move(tokens->id_token),
                                             services.settings.encryption.id_token);
  if (!id_token) co_return std::move(id_token).error();
  tokens->id_token = std::move(*id_token);
  IdTokenDemand demand;
  demand.nonce = session->record().nonce;
  demand.nonce_required = false;
  demand.access_token = tokens->access_token;
  demand.subject = session->record().subject;
  demand.auth_time = session->record().auth_time;
  const Result<IdTokenFacts> facts = co_await verify_id_token(services, tokens->id_token, demand);
  if (!facts) co_return facts.error();
  tokens->id_token_jwk = facts->jwk;
  co_return tokens;
}

// The rotated tokens exist only here: keep them, and write again until the store takes them. Nobody
// else may send the old refresh token before.
Task<void> save_later(Services& services, StoreKey known, Session redeemed, Session fresh,
                      RefreshLock lock) {
  for (int i = 0; i < kUnsavedTries && services.loop.monotonic_ms() < lock.ends; ++i) {
    co_await sleep_for(services.loop, kUnsavedRetry);
    const SavedTokens saved = co_await save_tokens(services, redeemed, fresh);
    if (saved.result.session) co_await remember_tokens(services, saved.result.session);
    if (saved.unsaved) continue;
    if (saved.result.kind == RefreshResult::Kind::ended) {
      const SessionRecord& record = fresh->record();
      revoke_tokens(services, std::string(record.access_token), record.refresh_token.text());
    }
    break;
  }
  services.refreshes.end(known);
  co_await release(services, lock);
}

Task<void> forget_later(Services& services, StoreKey key) {
  co_await sleep_for(services.loop, kFailureCounts);
  services.refreshes.end(key);
}

Task<RefreshResult> refused(Services& services, Session session, Error why) {
  // A sibling on another machine may have won, and be about to store what it got.
  for (int looks = 1;; ++looks) {
    RefreshResult now = co_await read_again(services, session);
    if (now.kind != RefreshResult::Kind::refreshed) co_return now;
    if (now.session->generation() != session->generation()) co_return now;
    if (looks > kSiblingLooks) break;
    co_await sleep_for(services.loop, kSiblingPause);
  }
  const Result<void> erased = co_await erase_session(services, session);
  if (!erased) services.log.write(LogLevel::warn, erased.error().code, erased.error().detail);
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

Task<RefreshResult> refresh(Services& services, Session known, RefreshLock& lock,
                            TokenExtras extras) {
  Turn turn = co_await wait_for_turn(services, known, lock);
  if (!turn.ours) co_return std::move(turn.result);
  const Session session = turn.result.session;
  const Withheld withheld = co_await withhold_tokens(services, session);
  if (withheld == Withheld::gone) co_return ended(Error{Errc::session_expired, {}});
  if (withheld == Withheld::unknown) {
    co_return failed(Error{Errc::store_unavailable, "the remember cookie's record"});
  }
  Result<TokenResponse> tokens = co_await redeem(services, session, std::move(extras));
  if (!tokens) {
    if (tokens.error().code == Errc::token_request_rejected) {
      co_return co_await refused(services, session, tokens.error());
    }
    co_return failed(std::move(tokens).error());
  }
  const Result<Session> fresh = with_tokens(services, *session, *tokens);
  if (!fresh) co_return failed(fresh.error());
  SavedTokens saved = co_await save_tokens(services, session, *fresh);
  // Logged out meanwhile: the logout saw the tokens before these.
  if (!saved.unsaved && saved.result.kind == RefreshResult::Kind::ended) {
    revoke_tokens(services, tokens->access_token, tokens->refresh_token);
  }
  if (saved.result.session) co_await remember_tokens(services, saved.result.session);
  if (!saved.unsaved) co_return std::move(saved.result);
  services.log.write(LogLevel::error, Errc::refresh_unsaved, saved.detail);
  services.loop.spawn(save_later(services, known->key(), session, *fresh, lock));
  RefreshResult unsaved = refreshed(*fresh);
  unsaved.why.code = Errc::refresh_unsaved;
  co_return unsaved;
}

Task<void> refresh_and_tell(Services& services, Session session, Refreshes::Arrival arrived,
                            TokenExtras extras) {
  RefreshLock lock(services, refresh_family(*session));
  RefreshResult result = failed(Error{Errc::internal, "the refresh ended by an exception"});
  co_await take_lease(services, lock);
  const Errc lately = remembered_failure(services, lock);
  try {
    if (lately != Errc::none) {
      result = failed(Error{lately, "a moment ago, in another worker"});
    } else {
      result = co_await refresh(services, session, lock, std::move(extras));
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

Task<RefreshResult> refresh_session(Services& services, Session session, TokenExtras extras) {
  Refreshes::Arrival arriving = services.refreshes.find(session->key());
  if (!arriving) {
    arriving = services.refreshes.begin(session->key());
    services.loop.spawn(refresh_and_tell(services, session, arriving, std::move(extras)));
  }
  const Milliseconds patience = patience_of(services, *session);
  const auto result = co_await wait_for(services.loop, arriving, patience);
  if (!result) co_return failed(Error{Errc::provider_timeout, "the refresh did not end in time"});
  co_return *result;
}

}  // namespace oidc
