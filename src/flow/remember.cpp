#include "remember.h"

#include "remember_record.h"
#include "steps.h"

namespace oidc {

using namespace remember_record;

CookieAttributes remember_cookie_attributes(const Settings& settings, bool https) {
  return settings.session.remember.cookie.on(https, SameSite::lax);
}

std::optional<SessionCookie> remember_cookie_of(Services& services, const RequestFacts& facts) {
  const Settings& settings = services.settings;
  const bool https = own_origin_is_https(settings, facts);
  const std::string name = remember_cookie_attributes(settings, https).name;
  const CookieIdentity identity(settings, facts);
  SessionCookieFinder finder(services.keys.remember(), name, identity.view(),
                             services.loop.now());
  for (const std::string& header : facts.cookie_headers) finder.look_at(header);
  if (finder.result().conflict) return std::nullopt;
  return finder.result().cookie;
}

std::string remember_set_cookie(Services& services, const RequestFacts& facts,
                                const SessionCookie& cookie) {
  const Settings& settings = services.settings;
  const CookieAttributes attributes =
      remember_cookie_attributes(settings, own_origin_is_https(settings, facts));
  const CookieIdentity identity(settings, facts);
  SessionRecord begins;  // a cookie is handed out when its sid begins
  begins.created = cookie.created;
  begins.absolute_end = cookie.absolute_end;
  begins.sid_since = services.loop.now();
  const Seconds max_age = life_of(services, begins).count() / 1000;
  return set_cookie(attributes,
                    seal_session_cookie(cookie, services.keys.remember(), attributes.name,
                                        identity.view()),
                    max_age);
}

SessionCookie make_remember_cookie(Services& services) {
  return make_session_cookie(services.loop.now(),
                             services.settings.session.remember.absolute_timeout);
}

Task<bool> remember_login(Services& services, SessionRecord record, SessionCookie of,
                          SessionCookie cookie, Seconds began) {
  record.absolute_end = cookie.absolute_end;
  record.remember_sid = of.sid_view();
  const StoreKey key = store_key(cookie.sid_view());
  const Milliseconds life = life_of(services, record);
  const Result<void> done = co_await insert(services, key, seal(services, record, cookie), life,
                                            member(key, record), began);
  if (done) co_return true;
  services.log.write(LogLevel::warn, done.error().code, done.error().detail);
  const StoreWrite erased = co_await services.store.erase(key);
  if (erased.status == StoreStatus::error) warn(services, erased.detail);
  co_return false;
}

Task<Membership> remembered_membership(Services& services, SessionCookie cookie) {
  if (services.in_cookies != nullptr) co_return Membership();  // which keep no such record
  const Copy copy = co_await read_copy(services, cookie);
  if (!copy.opened) co_return Membership();
  co_return member(copy.opened->key(), copy.opened->record());
}

Task<void> forget_remembered(Services& services, SessionCookie cookie) {
  const Membership of = co_await remembered_membership(services, cookie);
  std::vector<StoreKey> keys{store_key(cookie.sid_view())};
  const Result<void> erased = co_await erase_members(services, std::move(keys), of);
  if (!erased) warn(services, erased.error().detail);
}

}  // namespace oidc
