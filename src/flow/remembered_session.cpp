// The session that a remember cookie makes. The order of the writes is in docs/design.md.
#include "erase_sessions.h"
#include "remember.h"
#include "remember_record.h"
#include "steps.h"

namespace oidc {
namespace {

using namespace remember_record;
using Session = std::shared_ptr<const OpenSession>;
using Arrival = std::shared_ptr<Promised<Remembered>>;

constexpr Milliseconds kEntryLife{120'000};
constexpr Milliseconds kGrace{10'000};
constexpr Milliseconds kPatience{30'000};
constexpr Milliseconds kPause{100};
constexpr int kLooks = 50;

struct Making {
  Session copy;  // the record of the cookie that came
  SessionCookie session, remember;
  StoreKey session_key, remember_key;
  std::string entry, owner;
  std::vector<Membership> indexed;
  std::weak_ptr<const char> requester;
};

SessionRecord new_session(Services& services, const SessionRecord& copy, const Making& making) {
  SessionRecord record = copy;
  record.created = services.loop.now();
  record.absolute_end = making.session.absolute_end;
  record.sid_since = record.created;
  record.auth_time = 0;  // nobody has just proved who he is: it satisfies no max_age
  record.previous = {};
  record.remember_sid = making.remember.sid_view();
  return record;
}

SessionRecord new_copy(Services& services, const SessionRecord& copy, const Making& making) {
  SessionRecord record = copy;
  record.sid_since = services.loop.now();
  record.remember_sid = making.session.sid_view();
  return record;
}

Making make(Services& services, Session copy, std::weak_ptr<const char> requester) {
  const Seconds now = services.loop.now();
  Making making;
  making.session = make_session_cookie(now, services.settings.session.absolute_timeout);
  making.remember = make_session_cookie(copy->record().created, 0);
  making.remember.absolute_end = copy->cookie().absolute_end;
  making.session_key = store_key(making.session.sid_view());
  making.remember_key = store_key(making.remember.sid_view());
  making.entry = renewal_entry(copy->key());
  making.owner = std::string(making.session_key.view()).append(making.remember_key.view());
  making.copy = std::move(copy);
  making.requester = std::move(requester);
  return making;
}

Task<void> undo(Services& services, Making making) {
  const std::vector<StoreKey> keys{making.session_key, making.remember_key};
  for (const StoreKey& key : keys) {
    const StoreWrite erased = co_await services.store.erase(key);
    if (erased.status == StoreStatus::error) warn(services, erased.detail);
  }
  for (const Membership& who : making.indexed) co_await unindex_session(services, who);
  const StoreWrite released =
      co_await services.ledger.erase_if_equal(making.entry, making.owner);
  if (released.status == StoreStatus::error) warn(services, released.detail);
}

// Both new records; an error leaves what there is to undo().
Task<Result<Session>> insert_both(Services& services, Making& making) {
  const SessionRecord& old = making.copy->record();
  const SessionRecord session = new_session(services, old, making);
  std::string bytes = encode_record(session);
  std::string envelope = seal_envelope(bytes, making.session.sid_view(), services.keys,
                                       services.settings.identity);
  auto opened = OpenSession::make(making.session, making.session_key,
                                  std::string(envelope_generation(envelope)), std::move(bytes));
  if (!opened) co_return std::move(opened).error();
  const Milliseconds ttl = record_ttl(session, services.settings.session, services.loop.now());
  const Membership who = membership_of(making.session_key, session);
  making.indexed.push_back(who);
  Result<void> done =
      co_await insert(services, making.session_key, std::move(envelope), ttl, who, old.created);
  if (!done) co_return std::move(done).error();
  std::vector<std::string> replaced{std::string(store_key(old.remember_sid).view())};
  done = co_await limit_sessions(services, who, std::move(replaced));
  if (!done) co_return std::move(done).error();
  const SessionRecord copy = new_copy(services, old, making);
  const Milliseconds life = life_of(services, copy);
  const Membership remembered = member(making.remember_key, copy);
  making.indexed.push_back(remembered);
  done = co_await insert(services, making.remember_key, seal(services, copy, making.remember), life,
                         remembered, old.created);
  if (!done) co_return std::move(done).error();
  co_return std::move(*opened);
}

Task<Remembered> make_session(Services& services, Making making) {
  Remembered result;
  const Result<Session> inserted = co_await insert_both(services, making);
  if (!inserted || making.requester.expired()) {
    if (!inserted && inserted.error().code != Errc::session_logged_out) {
      result.kind = SessionLookup::Kind::error;
      result.why = inserted.error();
    }
    co_await undo(services, making);
    co_return result;
  }
  SessionRecord pointer;
  pointer.created = making.copy->record().created;
  pointer.absolute_end = making.copy->record().absolute_end;
  pointer.next_sid = making.remember.sid_view();
  pointer.remember_sid = making.session.sid_view();
  std::string envelope = seal(services, pointer, making.copy->cookie());
  // The write that decides: a logout, or a refresh that has taken the tokens out, was faster or not.
  const StoreWrite written = co_await services.store.replace(
      making.copy->key(), making.copy->generation(), std::move(envelope), kGrace);
  if (written.status == StoreStatus::miss) {
    co_await undo(services, making);
    co_return result;
  }
  if (written.status == StoreStatus::error) {
    const Copy now = co_await read_copy(services, making.copy->cookie());
    const bool ours = now.opened && now.opened->record().next_sid == making.remember.sid_view();
    if (!ours) {
      result.kind = SessionLookup::Kind::error;
      result.why = Error{Errc::store_unavailable, written.detail};
      co_return result;
    }
  }
  result.kind = SessionLookup::Kind::found;
  result.session = *inserted;
  result.cookie = making.remember;
  co_return result;
}

Task<void> make_and_tell(Services& services, Making making, Arrival arrived) {
  Remembered result;
  bool threw = false;
  try {
    result = co_await make_session(services, making);
  } catch (const std::exception&) {
    // Who waits is told; the promise must never stay open.
    threw = true;
    result.kind = SessionLookup::Kind::error;
    result.why.code = Errc::internal;
  }
  const bool made = result.kind == SessionLookup::Kind::found;
  arrived->set(std::move(result));
  // Others wait for as long as the entry is there.
  if (threw) co_await undo(services, making);
  if (!made) co_return;
  // The session that the cookie belonged to, should it still be there: its tokens are the new one's.
  // And a pointer is no record of a cookie.
  const Membership of = member(making.copy->key(), making.copy->record());
  std::vector<StoreKey> before{store_key(making.copy->record().remember_sid)};
  const Result<void> erased = co_await erase_members(services, std::move(before), of);
  if (!erased) warn(services, erased.error().detail);
  co_await unindex_session(services, of);
}

// Another request was faster: its session.
Task<Remembered> follow(Services& services, Session pointer) {
  Remembered result;
  SessionLookup lookup =
      co_await read_session(services, cookie_of(pointer->record().remember_sid));
  result.kind = lookup.kind;
  result.session = std::move(lookup.session);
  result.why = std::move(lookup.why);
  co_return result;
}

Remembered failed(std::string detail) {
  Remembered result;
  result.kind = SessionLookup::Kind::error;
  result.why = Error{Errc::store_unavailable, std::move(detail)};
  return result;
}

}  // namespace

Task<Remembered> remembered_session(Services& services, Facts facts) {
  const Settings& settings = services.settings;
  Remembered none;
  if (!settings.session.remember.on) co_return none;
  const auto found = remember_cookie_of(services, *facts);
  if (!found) co_return none;
  const SessionCookie cookie = *found;
  for (int i = 0; i < kLooks; ++i) {
    const Copy copy = co_await read_copy(services, cookie);
    if (copy.kind == SessionLookup::Kind::error) co_return failed(copy.detail);
    if (!copy.opened) co_return none;
    const SessionRecord& record = copy.opened->record();
    if (!record.next_sid.empty()) co_return co_await follow(services, copy.opened);
    if (life_of(services, record).count() <= 0) co_return none;
    // A refresh is under way with its token, and puts the new one back.
    if (!is_withheld(record)) {
      const auto here = std::make_shared<const char>('\0');
      Making making = make(services, copy.opened, here);
      const SessionRecord session = new_session(services, record, making);
      if (!is_alive(session, settings, services.loop.now())) co_return none;
      const StoreWrite added =
          co_await services.ledger.add(making.entry, making.owner, kEntryLife);
      if (added.status == StoreStatus::error) co_return failed(added.detail);
      if (added.status == StoreStatus::hit) {
        const Arrival arriving = std::make_shared<Arrival::element_type>();
        services.loop.spawn(make_and_tell(services, std::move(making), arriving));
        const auto made = co_await wait_for(services.loop, arriving, kPatience);
        if (!made) co_return failed("no session from the remember cookie in time");
        // Nothing made: a refresh or a logout was faster, and the next look tells which.
        if (made->kind != SessionLookup::Kind::none) co_return *made;
      }
    }
    co_await sleep_for(services.loop, kPause);
  }
  co_return none;
}

}  // namespace oidc
