// A session's new sid: oidc_session_rolling_timeout. The order of the writes, and what happens when
// a refresh, a logout or another renewal comes between them, is in docs/design.md.

#include "cookie_session.h"
#include "erase_sessions.h"
#include "oidc/touch_throttle.h"
#include "session_index.h"
#include "steps.h"

namespace oidc {
namespace {

using Session = std::shared_ptr<const OpenSession>;
using Arrival = std::shared_ptr<Promised<Renewal>>;

// The entry from the old key to the new one is the lock too. It outlives the renewal, the old sid's
// grace, and a logout that read the old record before.
constexpr Milliseconds kEntryLife{120'000};
constexpr std::uint64_t kCommitWithin = 60'000;
constexpr Milliseconds kPatience{30'000};
constexpr int kTries = 3;

void warn(Services& services, std::string detail) {
  services.log.write(LogLevel::warn, Errc::store_unavailable, detail);
}

// One renewal on its way.
struct Attempt {
  StoreKey old_key, new_key;
  SessionCookie cookie;  // the new one
  std::string entry;
  bool inserted = false;
  std::optional<Membership> indexed;  // in the index under the new key
  std::uint64_t began = 0;
  std::weak_ptr<const char> requester;  // whose answer would carry the cookie
};

Attempt make_attempt(Services& services, const OpenSession& known,
                     std::weak_ptr<const char> requester) {
  Attempt attempt;
  attempt.cookie = make_session_cookie(known.cookie().created, 0);
  attempt.cookie.absolute_end = known.cookie().absolute_end;
  attempt.old_key = known.key();
  attempt.new_key = store_key(attempt.cookie.sid_view());
  attempt.entry = renewal_entry(attempt.old_key);
  attempt.began = services.loop.monotonic_ms();
  attempt.requester = std::move(requester);
  return attempt;
}

// The record under the new sid.
Result<Session> successor(Services& services, const OpenSession& current, const Attempt& attempt,
                          std::string& envelope) {
  SessionRecord record = current.record();
  record.sid_since = services.loop.now();
  record.previous = attempt.old_key.view();
  std::string bytes = encode_record(record);
  envelope = seal_envelope(bytes, attempt.cookie.sid_view(), services.keys,
                           services.settings.identity);
  return OpenSession::make(attempt.cookie, attempt.new_key,
                           std::string(envelope_generation(envelope)), std::move(bytes));
}

// What is left under the old sid: no token, only where the session is now.
std::string pointer(Services& services, const OpenSession& current, const Attempt& attempt) {
  const SessionRecord& old = current.record();
  SessionRecord record;
  record.method = old.method;
  record.created = old.created;
  record.absolute_end = old.absolute_end;
  record.sid_since = old.sid_since;
  record.tokens_since = services.loop.now();  // since when it is a pointer
  record.next_sid = attempt.cookie.sid_view();
  const std::string bytes = encode_record(record);
  return seal_envelope(bytes, current.cookie().sid_view(), services.keys,
                       services.settings.identity);
}

// In cookies the old record would be there again when the pointer went.
Task<StoreWrite> leave_pointer(Services& services, Session current, std::string pointer,
                               Milliseconds grace) {
  if (services.in_cookies != nullptr) {
    co_return co_await services.in_cookies->supersede(current->key(), current->generation(),
                                                      std::move(pointer));
  }
  co_return co_await services.store.replace(current->key(), current->generation(),
                                            std::move(pointer), grace);
}

// Nothing was committed: no trace stays.
Task<void> abandon(Services& services, Attempt attempt) {
  if (attempt.inserted) {
    const StoreWrite erased = co_await services.store.erase(attempt.new_key);
    if (erased.status == StoreStatus::error) warn(services, erased.detail);
  }
  if (attempt.indexed) co_await unindex_session(services, *attempt.indexed);
  std::string owner(attempt.new_key.view());
  const StoreWrite released =
      co_await services.ledger.erase_if_equal(attempt.entry, std::move(owner));
  if (released.status == StoreStatus::error) warn(services, released.detail);
}

enum class Step : std::uint8_t { again, done, abandoned, unknown };

// One try, from reading the old record to the write over it that decides.
Task<Step> try_once(Services& services, Attempt& attempt, Renewal& result) {
  const SessionLookup now = co_await read_known_session(services, result.session);
  if (now.kind == SessionLookup::Kind::error) co_return Step::abandoned;
  result.session = now.session;
  if (!now.session || now.session->key() != attempt.old_key) co_return Step::abandoned;
  std::string envelope;
  const Result<Session> next = successor(services, *now.session, attempt, envelope);
  if (!next || !check_fits(services, **next)) co_return Step::abandoned;
  const SessionSettings& settings = services.settings.session;
  const Milliseconds ttl = record_ttl((*next)->record(), settings, services.loop.now());
  if (ttl.count() <= 0) co_return Step::abandoned;
  attempt.inserted = true;
  const StoreWrite inserted = co_await services.store.insert(attempt.new_key, envelope, ttl);
  if (inserted.status != StoreStatus::hit) {
    warn(services, inserted.detail);
    co_return Step::abandoned;
  }
  const Membership who = membership_of(attempt.new_key, (*next)->record());
  attempt.indexed = who;
  const Result<void> indexed = co_await index_session(services, who, ttl, now.session->record().created);
  if (!indexed) {
    if (indexed.error().code == Errc::session_logged_out) result.session = nullptr;
    co_return Step::abandoned;
  }
  // Nobody would get the cookie, or the entry may end before the pointer does.
  const std::uint64_t spent = services.loop.monotonic_ms() - attempt.began;
  if (attempt.requester.expired() || spent > kCommitWithin) co_return Step::abandoned;
  const Milliseconds grace = grace_of(Milliseconds(settings.rolling_timeout * 1000));
  std::string left = pointer(services, *now.session, attempt);
  const StoreWrite written = co_await leave_pointer(services, now.session, std::move(left), grace);
  if (written.status == StoreStatus::miss) co_return Step::again;
  if (written.status == StoreStatus::error) {
    warn(services, written.detail);
    const SessionLookup after = co_await read_known_session(services, now.session);
    if (!after.session || after.session->key() != attempt.new_key) co_return Step::unknown;
  }
  result.renewed = true;
  result.session = *next;
  co_return Step::done;
}

Task<Renewal> renew(Services& services, Session known, std::weak_ptr<const char> requester) {
  Attempt attempt = make_attempt(services, *known, std::move(requester));
  Renewal result{false, known};
  std::string owner(attempt.new_key.view());
  const StoreWrite added = co_await services.ledger.add(attempt.entry, std::move(owner), kEntryLife);
  if (added.status == StoreStatus::error &&
      services.touches.due(store_key("no room for a renewal"), services.loop.now(), 60)) {
    warn(services, added.detail);
  }
  if (added.status != StoreStatus::hit) co_return result;
  Step step = Step::again;
  for (int i = 0; i < kTries && step == Step::again; ++i) {
    step = co_await try_once(services, attempt, result);
  }
  // Where the deciding write's outcome is not known it may still come: the new record stays for it.
  if (step == Step::again || step == Step::abandoned) co_await abandon(services, attempt);
  co_return result;
}

Task<void> renew_and_tell(Services& services, Session known, std::weak_ptr<const char> requester,
                          Arrival arrived) {
  Renewal result{false, known};
  try {
    result = co_await renew(services, known, std::move(requester));
  } catch (const std::exception&) {
    // Who waits is told; the promise must never stay open.
  }
  const bool renewed = result.renewed;
  arrived->set(std::move(result));
  // A pointer is no session: it counts in no limit, and what it points to is in the index.
  if (!renewed) co_return;
  const Membership before = membership_of(known->key(), known->record());
  co_await unindex_session(services, before);
}

}  // namespace

// The worker's own task: a browser that leaves must not leave half a renewal behind.
Task<Renewal> renew_session(Services& services, Session session) {
  const Arrival arriving = std::make_shared<Arrival::element_type>();
  const auto here = std::make_shared<const char>('\0');
  services.loop.spawn(renew_and_tell(services, session, here, arriving));
  const auto renewal = co_await wait_for(services.loop, arriving, kPatience);
  if (!renewal) co_return Renewal{false, session};
  co_return *renewal;
}

}  // namespace oidc
