#include "answers.h"
#include "steps.h"

namespace oidc {
namespace {

// A wrong credential is not nobody's: refused once, and the cookie goes.
Outcome deny_and_forget(Services& services, const RequestFacts& facts, Error why) {
  Outcome outcome = deny(services, facts, std::move(why));
  const bool https = own_origin_is_https(services.settings, facts);
  outcome.set_cookies.push_back(
      delete_cookie(session_cookie_attributes(services.settings, https)));
  return outcome;
}

// No credential: what oidc_unauthenticated says.
Task<Outcome> unauthenticated(Services& services, Facts facts, Error why) {
  const Settings& settings = services.settings;
  // What no login mends without a trace: somebody tampered, or a key or a record was lost.
  if (info(why.code).level == LogLevel::warn) {
    services.log.write(LogLevel::warn, why.code, why.detail);
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
  if (!log_in) co_return deny(services, *facts, std::move(why));
  LoginStart start;
  start.target = facts->target;
  co_return co_await start_login(services, facts, std::move(start));
}

Error worth_telling(Error why) {
  if (why.code == Errc::none) why.code = Errc::unauthenticated;
  return why;
}

}  // namespace

Task<Outcome> access_flow(Services& services, Facts facts) {
  if (is_logout_request(services.settings, *facts)) co_return co_await logout_flow(services, facts);
  const SessionLookup lookup = co_await find_session(services, facts);
  if (lookup.kind == SessionLookup::Kind::error) co_return deny(services, *facts, lookup.why);
  if (lookup.kind == SessionLookup::Kind::none) {
    co_return co_await unauthenticated(services, facts, worth_telling(lookup.why));
  }
  std::shared_ptr<const OpenSession> session = lookup.session;
  if (lookup.outage) co_return pass(services, session);
  const Seconds now = services.loop.now();
  if (is_refresh_due(session->record(), services.settings, now)) {
    const RefreshResult result = co_await refresh_session(services, session);
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
  touch_session(services, *session);
  co_return pass(services, session);
}

}  // namespace oidc
