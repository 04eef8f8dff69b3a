#include "access_token_flow.h"
#include "answers.h"
#include "cookie_session.h"
#include "end_session.h"
#include "grant_flow.h"
#include "oidc/admission.h"
#include "oidc/touch_throttle.h"
#include "remember.h"
#include "session_index.h"
#include "session_userinfo.h"
#include "steps.h"

namespace oidc {
namespace {

// A wrong credential is not nobody's: refused once, and the cookie goes.
Outcome deny_and_forget(Services& services, const RequestFacts& facts, Error why) {
  Outcome outcome = deny(services, facts, std::move(why));
  append_session_deletion(services, facts, outcome.set_cookies);
  return outcome;
}

// With oidc_session_bind a cookie that does not verify may be a stolen one: worth a line, but not one
// for each request of that browser.
void tell_about_bound_cookie(Services& services, const RequestFacts& facts) {
  std::string cookies;
  for (const std::string& header : facts.cookie_headers) cookies.append(header);
  if (!services.touches.due(store_key(cookies), services.loop.now(), 3600)) return;
  services.log.write(LogLevel::warn, Errc::session_invalid,
                     "a cookie that was not made for this address, scheme or browser "
                     "(oidc_session_bind), or was tampered with");
}

// 401, which may end what session there is (oidc_unauthorized_destroy_session): one of this location's,
// and not because another site sent the browser here.
Task<Outcome> refuse(Services& services, Facts facts, Error why) {
  const bool unauthorized = info(why.code).status == 401;
  Outcome outcome = deny(services, *facts, std::move(why));
  const Settings& settings = services.settings;
  // Where browsers log in, a dialog for a password would only be in their way.
  if (accepts_basic(settings.credentials) && !settings.credentials.authorization_code) {
    offer_basic(settings, *facts, outcome);
  }
  if (unauthorized && settings.errors.unauthorized_destroy_session && settings.credentials.session &&
      initiator(settings, *facts) != Initiator::foreign) {
    outcome.set_cookies = co_await destroy_present_session(services, facts);
  }
  co_return outcome;
}

// No session: what other credential there is; with none of them, what oidc_unauthenticated says.
Task<Outcome> unauthenticated(Services& services, Facts facts, Error why) {
  const Settings& settings = services.settings;
  PresentedGrant grant = presented_grant(settings, *facts);
  if (grant.found) co_return co_await grant_flow(services, facts, std::move(grant));
  if (why.code == Errc::session_invalid && settings.session.bind.any()) {
    tell_about_bound_cookie(services, *facts);
  }
  // A second valid cookie comes back after every login: no login ends that.
  if (why.code == Errc::cookie_conflict) co_return deny(services, *facts, std::move(why));
  const bool wrong =
      why.code == Errc::session_invalid || why.code == Errc::session_record_invalid;
  bool log_in = false;
  switch (settings.unauthenticated) {
    case Unauthenticated::pass:
      if (!wrong) co_return pass(services, nullptr);
      co_return deny_and_forget(services, *facts, std::move(why));
    case Unauthenticated::deny:
      break;
    case Unauthenticated::redirect:
      log_in = true;
      break;
    case Unauthenticated::automatic:
      log_in = is_navigation(settings, *facts);
      break;
  }
  if (!settings.credentials.authorization_code) log_in = false;
  if (!log_in) co_return co_await refuse(services, facts, std::move(why));
  LoginStart start;
  start.target = facts->target;
  Outcome outcome = co_await start_login(services, facts, std::move(start));
  // What no login mends without a trace: somebody tampered, or a key or a record was lost. The
  // answer takes it along, so that each such request has one line in the log.
  const LogLevel level = info(why.code).level;
  if (!wrong && level != LogLevel::warn) co_return outcome;
  if (outcome.reason == Errc::none) {
    outcome.reason = why.code;
    outcome.detail = std::move(why.detail);
  } else {
    services.log.write(level, why.code, why.detail);
  }
  co_return outcome;
}

Error worth_telling(Error why) {
  if (why.code == Errc::none) why.code = Errc::unauthenticated;
  return why;
}

// What the browser has is not what the session is: it gets that. Its index lives as long.
void hand_out(Services& services, const RequestFacts& facts, const OpenSession& session,
              std::vector<std::string>& set_cookies) {
  if (!append_session_cookies(services, facts, session, set_cookies)) return;
  if (services.in_cookies == nullptr) return;  // touch_session does it
  const Milliseconds ttl =
      record_ttl(session.record(), services.settings.session, services.loop.now());
  if (ttl.count() <= 0) return;
  const Membership who = membership_of(session.key(), session.record());
  services.loop.spawn(keep_indexed(services, who, ttl));
}

// A session that does, so far: refreshed and renewed where that is due. `reissue`: with its cookies.
Task<Outcome> with_session(Services& services, Facts facts,
                           std::shared_ptr<const OpenSession> session, bool reissue) {
  const Settings& settings = services.settings;
  const Seconds now = services.loop.now();
  const std::shared_ptr<const OpenSession> before = session;
  bool settled = true;  // what this request knows is what the store has
  if (is_refresh_due(session->record(), services.settings, now)) {
    // One refresh serves many requests: what one of them brings along is no part of it.
    TokenExtras extras = token_extras(services.settings, *facts, Copies::no);
    const RefreshResult result =
        co_await refresh_session(services, session, std::move(extras));
    settled = result.kind == RefreshResult::Kind::refreshed && result.why.code == Errc::none;
    if (result.kind == RefreshResult::Kind::ended) {
      co_return co_await unauthenticated(services, facts, worth_telling(result.why));
    }
    if (result.session) session = result.session;
    if (is_access_token_expired(session->record(), services.loop.now())) {
      std::string detail(info(result.why.code).code);
      detail.append(": ").append(result.why.detail);
      co_return deny(services, *facts, Error{Errc::refresh_failed, std::move(detail)});
    }
    if (result.kind == RefreshResult::Kind::failed) {
      services.log.write(LogLevel::warn, result.why.code,
                         "refresh failed, the access token still lives: " + result.why.detail);
    }
  } else if (is_access_token_expired(session->record(), now)) {
    const Error over{Errc::session_expired, "the access token is expired, with none to renew it"};
    co_return co_await unauthenticated(services, facts, over);
  }
  if (settings.token.reverify) {
    const Result<void> still = co_await reverify_session(services, session);
    if (!still && info(still.error().code).status != 502) {
      co_return deny(services, *facts, still.error());
    }
    if (!still) {
      std::string detail("oidc_reverify: ");
      detail.append(info(still.error().code).code);
      const Error over{Errc::session_expired, std::move(detail)};
      co_return co_await unauthenticated(services, facts, over);
    }
  }
  if (is_userinfo_wanted(settings, *session, services.loop.now())) {
    const RefreshResult asked = co_await renew_userinfo(services, session);
    if (asked.kind == RefreshResult::Kind::ended) {
      co_return co_await unauthenticated(services, facts, worth_telling(asked.why));
    }
    if (asked.kind == RefreshResult::Kind::failed) co_return deny(services, *facts, asked.why);
    settled = settled && asked.why.code == Errc::none;
    session = asked.session;
  }
  std::vector<std::string> cookies;
  if (settled && is_renewal_due(session->record(), services.settings, services.loop.now())) {
    const Renewal renewal = co_await renew_session(services, session);
    if (!renewal.session) {
      const Error ended{Errc::session_expired, {}};
      co_return co_await unauthenticated(services, facts, ended);
    }
    session = renewal.session;
    reissue = reissue || renewal.renewed;
  }
  if (services.in_cookies != nullptr && session != before) reissue = true;
  if (reissue) hand_out(services, *facts, *session, cookies);
  touch_session(services, *session);
  Outcome outcome = co_await admit(services, facts, session);
  // What a refusal deletes is deleted last.
  outcome.set_cookies.insert(outcome.set_cookies.begin(), cookies.begin(), cookies.end());
  co_return outcome;
}

// A session that lives, but is too old or too weak for this location, is not mended by remembering.
bool may_be_remembered(const Services& services, const SessionLookup& lookup) {
  if (lookup.why.code != Errc::unauthenticated && lookup.why.code != Errc::session_expired) {
    return false;
  }
  if (!lookup.session) return true;
  return has_ended(lookup.session->record(), services.settings, services.loop.now());
}

// Whatever becomes of the request: the old remember cookie is used up.
Task<Outcome> with_remembered(Services& services, Facts facts, Remembered made) {
  Outcome outcome = co_await with_session(services, facts, made.session, false);
  if (!made.cookie) co_return outcome;
  std::vector<std::string> cookies;
  cookies.push_back(session_set_cookie(services, *facts, made.session->cookie()));
  cookies.push_back(remember_set_cookie(services, *facts, *made.cookie));
  outcome.set_cookies.insert(outcome.set_cookies.begin(), cookies.begin(), cookies.end());
  co_return outcome;
}

}  // namespace

Task<Outcome> access_flow(Services& services, Facts facts) {
  PresentedToken presented = presented_token(services.settings, *facts);
  if (presented.present()) {
    co_return co_await access_token_flow(services, facts, std::move(presented));
  }
  if (!services.settings.credentials.session) {
    const Error nobody{Errc::unauthenticated, {}};
    co_return co_await unauthenticated(services, facts, nobody);
  }
  if (is_logout_request(services.settings, *facts)) co_return co_await logout_flow(services, facts);
  const SessionLookup lookup = co_await find_session(services, facts);
  if (lookup.kind == SessionLookup::Kind::error) co_return deny(services, *facts, lookup.why);
  if (lookup.kind == SessionLookup::Kind::none) {
    if (may_be_remembered(services, lookup)) {
      const Remembered made = co_await remembered_session(services, facts);
      if (made.kind == SessionLookup::Kind::error) co_return deny(services, *facts, made.why);
      if (made.session && is_alive(made.session->record(), services.settings,
                                   services.loop.now())) {
        co_return co_await with_remembered(services, facts, made);
      }
    }
    co_return co_await unauthenticated(services, facts, worth_telling(lookup.why));
  }
  if (lookup.outage) co_return co_await admit(services, facts, lookup.session);
  co_return co_await with_session(services, facts, lookup.session, lookup.reissue);
}

}  // namespace oidc
