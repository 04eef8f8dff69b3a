#include "remember_record.h"

#include "steps.h"

namespace oidc::remember_record {

void warn(Services& services, const std::string& detail) {
  services.log.write(LogLevel::warn, Errc::store_unavailable, detail);
}

SessionCookie cookie_of(std::string_view sid) {
  SessionCookie cookie;
  sid.copy(cookie.sid.data(), cookie.sid.size());
  return cookie;
}

namespace {

Seconds end_of(const SessionRecord& record, const RememberSettings& settings) {
  Seconds end = record.absolute_end;
  const auto nearer = [&end](Seconds since, Seconds timeout) {
    if (timeout == 0) return;
    const Seconds other = add_saturated(since, timeout);
    if (end == 0 || other < end) end = other;
  };
  nearer(record.created, settings.absolute_timeout);
  nearer(record.sid_since, settings.rolling_timeout);
  return end;
}

}  // namespace

Milliseconds life_of(Services& services, const SessionRecord& record) {
  const RememberSettings& settings = services.settings.session.remember;
  return store_ttl(end_of(record, settings), 0, services.loop.now());
}

std::string seal(Services& services, const SessionRecord& record, const SessionCookie& cookie) {
  std::string bytes = encode_record(record);
  std::string envelope = seal_envelope(bytes, cookie.sid_view(), services.keys.remember(),
                                       services.settings.identity);
  cleanse(bytes);
  return envelope;
}

Membership member(const StoreKey& key, const SessionRecord& record) {
  Membership who = membership_of(key, record);
  who.session.created = 0;
  return who;
}

Task<Copy> read_copy(Services& services, SessionCookie cookie) {
  Copy copy;
  const StoreKey key = store_key(cookie.sid_view());
  const StoreRead read = co_await services.store.read(key);
  if (read.status == StoreStatus::error) {
    copy.kind = SessionLookup::Kind::error;
    copy.detail = read.detail;
    co_return copy;
  }
  if (read.status == StoreStatus::miss) co_return copy;
  auto opened = open_session(read.envelope, cookie, key, services.keys.remember(),
                             services.settings.identity);
  if (!opened) {
    std::string detail("of a remember cookie: ");
    detail.append(opened.error().detail);
    services.log.write(LogLevel::warn, opened.error().code, detail);
    co_return copy;
  }
  copy.kind = SessionLookup::Kind::found;
  copy.opened = std::move(*opened);
  co_return copy;
}

bool is_withheld(const SessionRecord& record) { return record.access_token.empty(); }

Task<StoreWrite> write_over(Services& services, std::shared_ptr<const OpenSession> copy,
                            SessionRecord record) {
  std::string envelope = seal(services, record, copy->cookie());
  Milliseconds ttl = life_of(services, copy->record());
  if (ttl.count() <= 0) ttl = Milliseconds(1);
  co_return co_await services.store.replace(copy->key(), copy->generation(), std::move(envelope),
                                            ttl);
}

Task<Result<void>> insert(Services& services, StoreKey key, std::string envelope, Milliseconds ttl,
                          Membership who, Seconds began) {
  const StoreWrite written = co_await services.store.insert(key, std::move(envelope), ttl);
  if (written.status != StoreStatus::hit) {
    co_return Error{written.full ? Errc::store_full : Errc::store_unavailable, written.detail};
  }
  co_return co_await index_session(services, who, ttl, began);
}

}  // namespace oidc::remember_record
