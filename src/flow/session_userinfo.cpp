#include "session_userinfo.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "oidc/claims.h"
#include "oidc/rules.h"
#include "oidc/touch_throttle.h"
#include "remember.h"
#include "save_tokens.h"
#include "session_index.h"
#include "steps.h"

namespace oidc {
namespace {

using Session = std::shared_ptr<const OpenSession>;

// One request of a session asks, those beside it go on with what is known.
constexpr Seconds kAskedEvery = 10;

bool lacks(const Settings& settings, const SessionRecord& record) {
  const std::vector<ClaimPath>& wanted = settings.userinfo.wanted;
  if (wanted.empty()) return false;
  const Claims claims(record);
  return std::any_of(wanted.begin(), wanted.end(),
                     [&claims](const ClaimPath& path) { return claims.find(path) == nullptr; });
}

bool is_never_asked(const Settings& settings, const SessionRecord& record) {
  return settings.userinfo.missing && record.userinfo_since == 0;
}

RefreshResult as_it_is(Session session) {
  return {RefreshResult::Kind::refreshed, std::move(session), {}};
}

// What the provider said before serves so long.
bool may_serve(const Settings& settings, const SessionRecord& record, Seconds now) {
  return record.userinfo_since != 0 &&
         add_saturated(record.userinfo_since, 2 * settings.userinfo.refresh) > now;
}

// Nobody answered: that says nothing of the user.
bool is_outage(Errc code) {
  switch (code) {
    case Errc::provider_unreachable:
    case Errc::provider_timeout:
    case Errc::provider_tls:
    case Errc::provider_overloaded:
    case Errc::provider_answer_truncated:
    case Errc::discovery_unavailable:
      return true;
    default:
      return false;
  }
}

Task<RefreshResult> without_answer(Services& services, Session session, Error why) {
  const SessionRecord& record = session->record();
  if (why.code == Errc::token_inactive) {
    const Result<void> erased = co_await erase_session(services, session);
    if (!erased) services.log.write(LogLevel::warn, erased.error().code, erased.error().detail);
    const std::string detail("the userinfo endpoint refuses the access token");
    co_return RefreshResult{RefreshResult::Kind::ended, nullptr, {Errc::session_expired, detail}};
  }
  if (is_outage(why.code) && may_serve(services.settings, record, services.loop.now())) {
    services.log.write(LogLevel::warn, why.code, "the session's userinfo stays: " + why.detail);
    co_return as_it_is(session);
  }
  co_return RefreshResult{RefreshResult::Kind::failed, nullptr, std::move(why)};
}

}  // namespace

bool lacks_claims(const Settings& settings, const TokenResponse& tokens) {
  if (!settings.userinfo.missing) return false;
  SessionRecord record;
  record.method = static_cast<std::uint8_t>(Method::authorization_code);
  record.access_token = tokens.access_token;
  record.id_token = StoredToken(tokens.id_token);
  record.scope = tokens.scope;
  return lacks(settings, record);
}

bool is_userinfo_wanted(const Settings& settings, const OpenSession& session, Seconds now) {
  const SessionRecord& record = session.record();
  if (is_userinfo_due(record, settings, now)) return true;
  return is_never_asked(settings, record) && judge(settings, session) != Errc::none &&
         lacks(settings, record);
}

Task<RefreshResult> renew_userinfo(Services& services, Session session) {
  const Settings& settings = services.settings;
  const SessionRecord& record = session->record();
  const StoreKey turn = store_key(std::string("userinfo ").append(session->cookie().sid_view()));
  if (!services.touches.due(turn, services.loop.now(), kAskedEvery) &&
      may_serve(settings, record, services.loop.now())) {
    co_return as_it_is(session);
  }
  const std::string token(record.access_token);
  const std::string subject(record.subject);
  const Result<UserinfoText> said = co_await userinfo_of_session(services, token, subject);
  if (!said) co_return co_await without_answer(services, session, said.error());
  const Result<Session> fresh = with_userinfo(services, *session, *said);
  if (!fresh) co_return RefreshResult{RefreshResult::Kind::failed, nullptr, fresh.error()};
  const SavedTokens saved = co_await save_tokens(services, session, *fresh);
  if (!saved.unsaved) {
    if (saved.result.session) co_await remember_tokens(services, saved.result.session);
    co_return saved.result;
  }
  RefreshResult unsaved = as_it_is(*fresh);
  unsaved.why = {Errc::store_unavailable, saved.detail};
  co_return unsaved;
}

}  // namespace oidc
