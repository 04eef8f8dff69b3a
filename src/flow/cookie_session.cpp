#include "cookie_session.h"

#include <algorithm>
#include <utility>

#include "oidc/touch_throttle.h"

namespace oidc {
namespace {

using Session = std::shared_ptr<const OpenSession>;

// A renewed sid that was refreshed, and renewed again: more is hardly ever there.
constexpr int kMostSteps = 8;

CookieAttributes attributes_of(const Services& services, const RequestFacts& facts) {
  return session_cookie_attributes(services.settings,
                                   own_origin_is_https(services.settings, facts));
}

PartsFinder parts_of(const RequestFacts& facts, std::string_view base) {
  PartsFinder parts(base);
  for (const std::string& header : facts.cookie_headers) parts.look_at(header);
  return parts;
}

SealedParts seal(const Services& services, const OpenSession& session,
                 const CookieAttributes& base) {
  return seal_parts(session, services.keys, base, services.settings.identity, services.loop.now(),
                    services.settings.session.cookie_size);
}

// What can be done about it is the administrator's; what is large are the tokens.
Error too_large(const Services& services, const OpenSession& session, const SealedParts& sealed) {
  const SessionRecord& record = session.record();
  const auto bytes = [](std::size_t size) { return std::to_string(size).append(" bytes"); };
  std::string detail(bytes(sealed.size));
  detail.append(" in cookies, oidc_session_storage allows ");
  detail.append(bytes(services.settings.session.cookie_size));
  detail.append(" (access token ").append(bytes(record.access_token.size()));
  detail.append(", ID token ").append(bytes(record.id_token.text().size()));
  detail.append(", refresh token ").append(bytes(record.refresh_token.text().size()));
  detail.append("): fewer scopes or claims make the tokens smaller; oidc_session_storage redis or "
                "shm has no such limit; \"cookie size=\" may be larger, with "
                "large_client_header_buffers that are 2k larger than that");
  return {Errc::session_too_large, std::move(detail)};
}

// Two answers that crossed leave two sets in a browser; more are somebody's making.
constexpr std::size_t kMostSets = 4;

// The newest set that is this sid's, opened.
Result<Session> open_newest(Services& services, const RequestFacts& facts,
                            const SessionCookie& cookie, PartSet& opened_set) {
  const std::string name = attributes_of(services, facts).name;
  const PartsFinder parts = parts_of(facts, name);
  OpenedParts& opened = services.in_cookies->opened();
  for (std::size_t i = 0; i < kMostSets; ++i) {
    const auto set = parts.set(i);
    if (!set) break;
    opened_set = *set;
    if (auto known = opened.find(cookie, *set)) return known;
    auto session = open_parts(*set, cookie, services.keys, name, services.settings.identity);
    if (!session) continue;
    opened.keep(*session, *set);
    return session;
  }
  return Error{Errc::session_record_invalid,
               parts.saw_any() ? "the cookies of its parts are incomplete or do not belong together"
                               : "the cookies of its parts are missing"};
}

SessionLookup unavailable(std::string detail) {
  SessionLookup lookup;
  lookup.kind = SessionLookup::Kind::error;
  lookup.why = Error{Errc::store_unavailable, std::move(detail)};
  return lookup;
}

SessionLookup over(Error why) {
  SessionLookup lookup;
  lookup.why = std::move(why);
  return lookup;
}

// The old sid of a renewed session leads on for requests in flight, and has ended then.
bool leads_on(const Services& services, const SessionRecord& pointer) {
  const Seconds rolling = services.settings.session.rolling_timeout;
  const Seconds grace = grace_of(Milliseconds(rolling * 1000)).count() / 1000;
  return services.loop.now() <= add_saturated(pointer.tokens_since, std::max<Seconds>(grace, 1));
}

// From a version that the browser has to the one that counts.
Task<SessionLookup> follow(Services& services, Session session) {
  CookieStore& store = *services.in_cookies;
  SessionCookie cookie = session->cookie();
  std::string generation = session->generation();
  const KeyRing& keys = services.keys;
  const std::string& identity = services.settings.identity;
  for (int steps = 0; steps < kMostSteps; ++steps) {
    const StoreKey key = store_key(cookie.sid_view());
    // Of each sid before anything else.
    const StoreRead ended = co_await store.read(key);
    if (ended.status == StoreStatus::error) co_return unavailable(ended.detail);
    if (ended.status == StoreStatus::miss) co_return over(Error{Errc::session_expired, {}});
    const StoreRead newer = co_await store.newer(key, generation);
    if (newer.status == StoreStatus::error) co_return unavailable(newer.detail);
    if (newer.status == StoreStatus::miss) {
      if (generation.empty()) co_return over(Error{Errc::session_expired, {}});
      SessionLookup lookup;
      lookup.kind = SessionLookup::Kind::found;
      lookup.session = std::move(session);
      co_return lookup;
    }
    Result<Session> opened = open_session(newer.envelope, cookie, key, keys, identity);
    if (!opened) co_return over(std::move(opened).error());
    const SessionRecord& record = (*opened)->record();
    if (record.next_sid.empty()) {
      generation = (*opened)->generation();
      session = std::move(*opened);
      continue;
    }
    if (!leads_on(services, record)) co_return over(Error{Errc::session_expired, {}});
    cookie = successor_of(record);
    generation.clear();
  }
  co_return over(Error{Errc::session_expired, "too many newer versions"});
}

}  // namespace

bool append_session_cookies(Services& services, const RequestFacts& facts,
                            const OpenSession& session, std::vector<std::string>& set_cookies) {
  if (services.in_cookies == nullptr) {
    set_cookies.push_back(session_set_cookie(services, facts, session.cookie()));
    return true;
  }
  const CookieAttributes base = attributes_of(services, facts);
  const SealedParts sealed = seal(services, session, base);
  if (sealed.values.empty()) {
    const Error why = too_large(services, session, sealed);
    services.log.write(info(why.code).level, why.code, why.detail);
    return false;
  }
  set_cookies.push_back(session_set_cookie(services, facts, session.cookie()));
  const PartsFinder carried = parts_of(facts, base.name);
  for (std::size_t i = 1; i <= kMostParts; ++i) {
    const CookieAttributes part = part_attributes(base, i);
    if (i <= sealed.values.size()) {
      set_cookies.push_back(set_cookie(part, sealed.values[i - 1], std::nullopt));
    } else if (carried.saw(i)) {
      set_cookies.push_back(delete_cookie(part));
    }
  }
  return true;
}

void append_session_deletion(const Services& services, const RequestFacts& facts,
                             std::vector<std::string>& set_cookies) {
  const CookieAttributes base = attributes_of(services, facts);
  set_cookies.push_back(delete_cookie(base));
  if (services.in_cookies == nullptr) return;
  const PartsFinder carried = parts_of(facts, base.name);
  for (std::size_t i = 1; i <= kMostParts; ++i) {
    if (carried.saw(i)) set_cookies.push_back(delete_cookie(part_attributes(base, i)));
  }
}

// With the longer attributes of https, whatever the request's scheme.
Result<void> check_fits(const Services& services, const OpenSession& session) {
  if (services.in_cookies == nullptr) return {};
  const CookieAttributes base = session_cookie_attributes(services.settings, true);
  const SealedParts sealed = seal(services, session, base);
  if (sealed.values.empty()) return too_large(services, session, sealed);
  return {};
}

Task<SessionLookup> read_known_session(Services& services, Session known) {
  if (services.in_cookies == nullptr) {
    co_return co_await read_session(services, known->cookie());
  }
  co_return co_await follow(services, known);
}

Task<SessionLookup> read_sent_session(Services& services, Facts facts, SessionCookie cookie) {
  if (services.in_cookies == nullptr) co_return co_await read_session(services, cookie);
  PartSet set;
  Result<Session> opened = open_newest(services, *facts, cookie, set);
  if (!opened) co_return over(std::move(opened).error());
  const Seconds idling = services.settings.session.idling_timeout;
  const Seconds now = services.loop.now();
  const Seconds issued = set.issued();
  if (idling != 0 && add_saturated(issued, idling) <= now) {
    co_return over(Error{Errc::session_expired, {}});
  }
  const Session session = *opened;
  SessionLookup lookup = co_await follow(services, session);
  if (lookup.kind != SessionLookup::Kind::found) co_return lookup;
  const Seconds interval = touch_interval(idling);
  lookup.reissue = lookup.session != session ||
                   (idling != 0 && add_saturated(issued, interval) <= now &&
                    services.touches.due(session->key(), now, interval));
  co_return lookup;
}

}  // namespace oidc
