#include <algorithm>

#include "cookie_session.h"
#include "oidc/crypto.h"
#include "oidc/outage.h"
#include "oidc/session_cache.h"
#include "oidc/touch_throttle.h"
#include "session_index.h"
#include "steps.h"

namespace oidc {
namespace {

// A provider whose tokens live for seconds is not asked at every request.
constexpr Seconds kLeastInterval = 5;

// A token may come expired. It counts for a moment all the same, or each request would refresh, or
// send the browser to log in, for ever.
Seconds end_of_access_token(const SessionRecord& record) {
  if (record.access_expires > record.tokens_since) return record.access_expires;
  return add_saturated(record.tokens_since, kLeastInterval);
}

// A logout that the store has not heard of yet. Told again, should it be there after all.
Task<bool> was_ended_here(Services& services, StoreKey key) {
  if (services.settings.session.outage_cached == 0) co_return false;
  if (!was_logged_out(services.shared, key)) co_return false;
  co_await services.store.erase(key);
  co_return true;
}

// oidc_session_outage cached=T. Whoever needs more than the session as it is waits for the store.
std::shared_ptr<const OpenSession> session_in_outage(Services& services, const StoreKey& key) {
  const Settings& settings = services.settings;
  const Milliseconds within(settings.session.outage_cached * 1000);
  if (within.count() == 0 || services.cache == nullptr) return nullptr;
  auto session = services.cache->find_confirmed(key, services.keys, settings.identity,
                                                services.loop.monotonic_ms(), within);
  if (!session) return nullptr;
  const Seconds now = services.loop.now();
  if (!is_alive(session->record(), settings, now)) return nullptr;
  if (is_access_token_expired(session->record(), now)) return nullptr;
  return session;
}

}  // namespace

void SessionCookieFinder::look_at(std::string_view cookie_header) {
  CookieReader reader(cookie_header);
  while (const std::optional<CookiePair> pair = reader.next()) {
    if (pair->name != name_) continue;
    const auto cookie = open_session_cookie(pair->value, keys_, name_, identity_, 0);
    if (!cookie) {
      result_.invalid = true;
      continue;
    }
    if (cookie->absolute_end != 0 && cookie->absolute_end <= now_) continue;  // simply over
    if (result_.cookie && result_.cookie->sid != cookie->sid) result_.conflict = true;
    result_.cookie = cookie;
  }
}

bool has_ended(const SessionRecord& record, const Settings& settings, Seconds now) {
  if (record.absolute_end != 0 && record.absolute_end <= now) return true;
  // Another location of the same client may be stricter than the one where the login began.
  const auto over = [now](Seconds since, Seconds timeout) {
    return timeout != 0 && add_saturated(since, timeout) <= now;
  };
  return over(record.created, settings.session.absolute_timeout) ||
         over(record.sid_since, settings.session.rolling_timeout);
}

bool is_renewal_due(const SessionRecord& record, const Settings& settings, Seconds now) {
  const Seconds rolling = settings.session.rolling_timeout;
  return rolling != 0 && record.next_sid.empty() &&
         add_saturated(record.sid_since, rolling - rolling / 4) <= now;
}

Milliseconds record_ttl(const SessionRecord& record, const SessionSettings& settings,
                        Seconds now) {
  Seconds end = record.absolute_end;
  if (settings.rolling_timeout != 0) {
    const Seconds sid_end = add_saturated(record.sid_since, settings.rolling_timeout);
    end = end == 0 ? sid_end : std::min(end, sid_end);
  }
  return store_ttl(end, settings.idling_timeout, now);
}

bool is_strong_enough(const SessionRecord& record, const Settings& settings, Seconds now) {
  const AuthorizationSettings& wanted = settings.authorization;
  if (wanted.max_age && *wanted.max_age > 0) {
    const Seconds until = add_saturated(record.auth_time, *wanted.max_age);
    const Seconds leeway = settings.token.leeway;
    if (record.auth_time == 0 || add_saturated(until, leeway) < now) return false;
    if (record.auth_time > add_saturated(now, leeway)) return false;  // as young as anybody likes
  }
  return wanted.acr_values.empty() ||
         std::find(wanted.acr_values.begin(), wanted.acr_values.end(), record.acr) !=
             wanted.acr_values.end();
}

bool is_alive(const SessionRecord& record, const Settings& settings, Seconds now) {
  return record.method == static_cast<std::uint8_t>(Method::authorization_code) &&
         !has_ended(record, settings, now) && is_strong_enough(record, settings, now) &&
         !(settings.userinfo.at_login && record.introspection.empty());
}

bool is_access_token_expired(const SessionRecord& record, Seconds now) {
  return record.access_expires != 0 && end_of_access_token(record) <= now;
}

bool is_refresh_due(const SessionRecord& record, const Settings& settings, Seconds now) {
  if (!settings.token.refresh || record.refresh_token.empty() || record.access_expires == 0) {
    return false;
  }
  const Seconds end = end_of_access_token(record);
  if (now < end && now - record.tokens_since < kLeastInterval) return false;
  return now >= end - std::min(settings.token.refresh_before, (end - record.tokens_since) / 4);
}

bool is_userinfo_due(const SessionRecord& record, const Settings& settings, Seconds now) {
  const UserinfoSettings& userinfo = settings.userinfo;
  return userinfo.refresh != 0 && record.userinfo_since != 0 &&
         add_saturated(record.userinfo_since, userinfo.refresh) <= now;
}

CookieIdentity::CookieIdentity(const Settings& settings, std::string_view remote_addr, bool https,
                               std::string_view user_agent)
    : settings_(settings) {
  const BindSettings& bind = settings.session.bind;
  if (!bind.any()) return;
  bound_ = settings.identity;
  const auto add = [this](bool wanted, std::string_view what, std::string_view value) {
    if (!wanted) return;
    append_field(bound_, what);
    append_field(bound_, value);
  };
  add(bind.ip, "ip", remote_addr);
  add(bind.scheme, "scheme", https ? "https" : "http");
  add(bind.user_agent, "user-agent", user_agent);
}

CookieLookup session_cookie_of(Services& services, const RequestFacts& facts) {
  const Settings& settings = services.settings;
  const bool https = own_origin_is_https(settings, facts);
  const std::string name = session_cookie_attributes(settings, https).name;
  const CookieIdentity identity(settings, facts);
  SessionCookieFinder finder(services.keys, name, identity.view(), services.loop.now());
  for (const std::string& header : facts.cookie_headers) finder.look_at(header);
  return finder.result();
}

std::string session_set_cookie(Services& services, const RequestFacts& facts,
                               const SessionCookie& cookie) {
  const Settings& settings = services.settings;
  const bool https = own_origin_is_https(settings, facts);
  const CookieAttributes attributes = session_cookie_attributes(settings, https);
  const CookieIdentity identity(settings, facts);
  return set_cookie(
      attributes, seal_session_cookie(cookie, services.keys, attributes.name, identity.view()),
      std::nullopt);
}

SessionCookie successor_of(const SessionRecord& record) {
  SessionCookie cookie;
  record.next_sid.copy(cookie.sid.data(), cookie.sid.size());
  cookie.created = record.created;
  cookie.absolute_end = record.absolute_end;
  return cookie;
}

Task<SessionLookup> read_session(Services& services, SessionCookie cookie) {
  SessionLookup lookup;
  // A sid that was renewed points to the next one; more than one such step is hardly ever there.
  for (int steps = 0; steps < 4; ++steps) {
    const StoreKey key = store_key(cookie.sid_view());
    const StoreRead read = co_await services.store.read(key);
    if (read.status == StoreStatus::error) {
      lookup.kind = SessionLookup::Kind::error;
      lookup.why = Error{Errc::store_unavailable, read.detail};
      co_return lookup;
    }
    if (read.status == StoreStatus::miss) {
      lookup.why.code = Errc::session_expired;
      co_return lookup;
    }
    auto session =
        open_session(read.envelope, cookie, key, services.keys, services.settings.identity);
    if (!session) {
      lookup.why = std::move(session).error();
      co_return lookup;
    }
    if (services.cache != nullptr) {
      services.cache->keep(*session, services.keys, services.settings.identity);
    }
    if ((*session)->record().next_sid.empty()) {
      lookup.kind = SessionLookup::Kind::found;
      lookup.session = std::move(*session);
      co_return lookup;
    }
    cookie = successor_of((*session)->record());
  }
  lookup.why.code = Errc::session_expired;
  co_return lookup;
}

Task<SessionLookup> find_session(Services& services, Facts facts) {
  const CookieLookup found = session_cookie_of(services, *facts);
  SessionLookup lookup;
  if (found.conflict) {
    lookup.why.code = Errc::cookie_conflict;
    co_return lookup;
  }
  if (!found.cookie) {
    lookup.why.code = found.invalid ? Errc::session_invalid : Errc::unauthenticated;
    co_return lookup;
  }
  const SessionCookie cookie = *found.cookie;
  const StoreKey key = store_key(cookie.sid_view());
  if (co_await was_ended_here(services, key)) {
    lookup.why.code = Errc::session_expired;
    co_return lookup;
  }
  lookup = co_await read_sent_session(services, facts, cookie);
  if (lookup.kind == SessionLookup::Kind::error) {
    auto confirmed = session_in_outage(services, key);
    // A pointer is no session, and what it points to is in the store.
    if (!confirmed || !confirmed->record().next_sid.empty()) co_return lookup;
    lookup.session = std::move(confirmed);
    lookup.kind = SessionLookup::Kind::found;
    lookup.outage = true;
    co_return lookup;
  }
  if (lookup.kind != SessionLookup::Kind::found) co_return lookup;
  const SessionRecord& record = lookup.session->record();
  const Seconds now = services.loop.now();
  if (!is_alive(record, services.settings, now)) {
    lookup.kind = SessionLookup::Kind::none;
    lookup.why.code = has_ended(record, services.settings, now) ||
                              is_strong_enough(record, services.settings, now)
                          ? Errc::session_expired
                          : Errc::insufficient_user_authentication;
  }
  co_return lookup;
}

namespace {

Task<void> touch(Services& services, Membership who, Milliseconds ttl) {
  const StoreWrite written = co_await services.store.touch(who.session.key, ttl);
  if (written.status == StoreStatus::error) {
    services.log.write(LogLevel::warn, Errc::store_unavailable, written.detail);
  }
  if (written.status == StoreStatus::hit) co_await keep_indexed(services, who, ttl);
}

}  // namespace

void touch_session(Services& services, const OpenSession& session) {
  const Seconds idling = services.settings.session.idling_timeout;
  if (idling == 0 || services.in_cookies != nullptr) return;
  const Seconds now = services.loop.now();
  const Seconds interval = touch_interval(idling);
  if (!services.touches.due(session.key(), now, interval)) return;
  const Milliseconds ttl = record_ttl(session.record(), services.settings.session, now);
  if (ttl.count() <= 0) return;
  // Each touch is news for all caches: one worker's will do for the others.
  if (services.cache != nullptr) {
    const auto left = services.cache->left(session.key(), services.loop.monotonic_ms());
    if (left && ttl - *left < Milliseconds(interval * 1000 / 2)) return;
  }
  services.loop.spawn(touch(services, membership_of(session.key(), session.record()), ttl));
}

}  // namespace oidc
