#include "session_index.h"

#include <algorithm>
#include <charconv>

#include "oidc/base64url.h"
#include "oidc/crypto.h"
#include "oidc/logout_flows.h"
#include "refresh_lock.h"
#include "steps.h"

namespace oidc {
namespace {

// A member outlives one touch that got lost.
constexpr Milliseconds kMargin{60'000};

Milliseconds life_in_set(Milliseconds ttl) { return ttl + std::min(kMargin, ttl / 4); }

std::string_view word(IndexedBy by) { return by == IndexedBy::subject ? "subject" : "sid"; }

// Salted with the identity, and not keyed by the secret: sessions of an older secret stay found.
std::string hashed(const Settings& settings, std::string_view purpose, const IndexName& name) {
  std::string fields;
  append_field(fields, purpose);
  append_field(fields, word(name.by));
  append_field(fields, settings.identity);
  append_field(fields, name.value);
  const Sha256 hash = sha256(fields);
  return base64url_encode(as_view(hash));
}

std::string set_name(const Settings& settings, const IndexName& name) {
  std::string set("by-");
  set.append(word(name.by)).append(":");
  if (name.by == IndexedBy::subject && !settings.session.hash_subject) {
    const std::string identity = base64url_encode(std::string_view(settings.identity).substr(0, 9));
    return set.append(identity).append(":").append(name.value);
  }
  return set.append(hashed(settings, "index", name));
}

std::string tombstone_name(const Settings& settings, const IndexName& name) {
  return "logged-out:" + hashed(settings, "tombstone", name);
}

// Gateways compare the times of logouts and logins, each by its own clock. One that is ahead by no
// more lets no login survive that began before.
Seconds clock_skew(const Settings& settings) {
  return has_shared_ledger(settings.session) ? 2 : 0;
}

// What a session is in, and what may have ended it.
std::vector<IndexName> names_of(const Membership& who) {
  std::vector<IndexName> names;
  if (!who.subject.empty()) names.push_back({IndexedBy::subject, who.subject});
  if (!who.provider_sid.empty()) names.push_back({IndexedBy::provider_sid, who.provider_sid});
  return names;
}

Error unavailable(std::string detail) { return {Errc::store_unavailable, std::move(detail)}; }

Error failure_of(const StoreWrite& written) {
  return {written.full ? Errc::store_full : Errc::store_unavailable, written.detail};
}

void warn(Services& services, const std::string& detail) {
  services.log.write(LogLevel::warn, Errc::store_unavailable, detail);
}

Task<Result<void>> join_sets(Services& services, Membership who, Milliseconds ttl) {
  const std::string member = who.session.member();
  const std::vector<IndexName> names = names_of(who);
  const Milliseconds life = life_in_set(ttl);
  for (const IndexName& name : names) {
    const std::string set = set_name(services.settings, name);
    const StoreWrite joined = co_await services.ledger.join(set, member, life);
    if (joined.status != StoreStatus::hit) co_return failure_of(joined);
  }
  co_return Result<void>();
}

// The logout's time; 0: none is known.
Task<Result<Seconds>> tombstone_of(Services& services, IndexName name) {
  const std::string entry = tombstone_name(services.settings, name);
  const LedgerRead read = co_await services.ledger.read(entry);
  if (read.status == StoreStatus::error) co_return unavailable(read.detail);
  Seconds at = 0;
  if (read.status == StoreStatus::hit) {
    const char* end = read.value.data() + read.value.size();
    const auto [stopped, failure] = std::from_chars(read.value.data(), end, at);
    if (failure != std::errc() || stopped != end) co_return unavailable("a tombstone is broken");
  }
  co_return at;
}

}  // namespace

std::optional<StoreKey> parse_store_key(std::string_view text) noexcept {
  StoreKey key;
  const auto is_base64url = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           c == '-' || c == '_';
  };
  if (text.size() != key.text.size() || !std::all_of(text.begin(), text.end(), is_base64url)) {
    return std::nullopt;
  }
  std::copy(text.begin(), text.end(), key.text.begin());
  return key;
}

std::string IndexedSession::member() const {
  return std::to_string(created).append(".").append(key.view());
}

std::optional<IndexedSession> IndexedSession::parse(std::string_view member) {
  const std::size_t dot = std::min(member.find('.'), member.size());
  IndexedSession session;
  const char* end = member.data() + dot;
  const auto [stopped, failure] = std::from_chars(member.data(), end, session.created);
  if (failure != std::errc() || stopped != end || dot == member.size()) return std::nullopt;
  const auto key = parse_store_key(member.substr(dot + 1));
  if (!key) return std::nullopt;
  session.key = *key;
  return session;
}

Membership membership_of(const StoreKey& key, const SessionRecord& record) {
  return {{key, record.created}, std::string(record.subject), std::string(record.provider_sid)};
}

std::vector<std::string> sets_of(const Settings& settings, const Membership& who) {
  std::vector<std::string> sets;
  if (!settings.session.store_metadata) return sets;
  for (const IndexName& name : names_of(who)) sets.push_back(set_name(settings, name));
  return sets;
}

Milliseconds longest_flight(const Settings& settings) noexcept {
  return std::max(flight_of(settings), Milliseconds(settings.longest_flight_ms));
}

Task<Result<void>> check_not_logged_out(Services& services, Membership who, Seconds began) {
  if (!services.settings.session.store_metadata) co_return Result<void>();
  const std::vector<IndexName> names = names_of(who);
  for (const IndexName& name : names) {
    const Result<Seconds> at = co_await tombstone_of(services, name);
    if (!at) co_return at.error();
    // A login of the same second may have begun before: it begins again.
    const Seconds until = add_saturated(*at, clock_skew(services.settings));
    if (*at != 0 && began <= until) co_return Errc::session_logged_out;
  }
  co_return Result<void>();
}

Task<Result<void>> index_session(Services& services, Membership who, Milliseconds ttl,
                                 Seconds began) {
  if (!services.settings.session.store_metadata) co_return Result<void>();
  // In this order: a logout that does not find it in the set has left its tombstone before.
  Result<void> indexed = co_await join_sets(services, who, ttl);
  if (!indexed && indexed.error().code == Errc::store_full) {
    const Result<void> thinned = co_await make_room_in_sets(services, who);
    if (thinned) indexed = co_await join_sets(services, who, ttl);
  }
  if (indexed) indexed = co_await check_not_logged_out(services, who, began);
  if (!indexed) co_await unindex_session(services, who);
  co_return indexed;
}

Task<void> keep_indexed(Services& services, Membership who, Milliseconds ttl) {
  if (!services.settings.session.store_metadata) co_return;
  const Result<void> joined = co_await join_sets(services, who, ttl);
  if (!joined) warn(services, "index: " + joined.error().detail);
}

Task<void> unindex_session(Services& services, Membership who) {
  if (!services.settings.session.store_metadata) co_return;
  const std::string member = who.session.member();
  const std::vector<IndexName> names = names_of(who);
  for (const IndexName& name : names) {
    const std::string set = set_name(services.settings, name);
    const StoreWrite left = co_await services.ledger.leave(set, member);
    if (left.status == StoreStatus::error) warn(services, "index: " + left.detail);
  }
}

Task<void> unindex_keys(Services& services, Membership of, std::vector<StoreKey> keys) {
  const std::vector<std::string> sets = sets_of(services.settings, of);
  for (const std::string& set : sets) {
    const LedgerMembers read = co_await services.ledger.members(set);
    if (read.status == StoreStatus::error) warn(services, "index: " + read.detail);
    for (const std::string& member : read.members) {
      const auto session = IndexedSession::parse(member);
      if (!session || std::find(keys.begin(), keys.end(), session->key) == keys.end()) continue;
      const StoreWrite left = co_await services.ledger.leave(set, member);
      if (left.status == StoreStatus::error) warn(services, "index: " + left.detail);
    }
  }
}

Task<void> shorten_indexed(Services& services, Membership of, StoreKey key, Milliseconds ttl) {
  const std::vector<std::string> sets = sets_of(services.settings, of);
  for (const std::string& set : sets) {
    const LedgerMembers read = co_await services.ledger.members(set);
    if (read.status == StoreStatus::error) warn(services, "index: " + read.detail);
    for (const std::string& member : read.members) {
      const auto session = IndexedSession::parse(member);
      if (!session || session->key != key) continue;
      const StoreWrite joined = co_await services.ledger.join(set, member, life_in_set(ttl));
      if (joined.status != StoreStatus::hit) warn(services, "index: " + joined.detail);
    }
  }
}

Task<Result<std::vector<IndexedSession>>> sessions_of(Services& services, IndexName name) {
  const std::string set = set_name(services.settings, name);
  const LedgerMembers read = co_await services.ledger.members(set);
  if (read.status == StoreStatus::error) co_return unavailable(read.detail);
  std::vector<IndexedSession> sessions;
  for (const std::string& member : read.members) {
    if (const auto session = IndexedSession::parse(member)) sessions.push_back(*session);
  }
  co_return sessions;
}

Task<Result<std::size_t>> end_sessions_of(Services& services, IndexName name) {
  const std::string entry = tombstone_name(services.settings, name);
  std::string now = std::to_string(services.loop.now());
  const Milliseconds life = longest_flight(services.settings);
  const StoreWrite written = co_await services.ledger.write(entry, std::move(now), life);
  if (written.status != StoreStatus::hit && !written.full) co_return failure_of(written);
  const std::string set = set_name(services.settings, name);
  std::size_t ended = 0;
  for (;;) {
    const LedgerMembers read = co_await services.ledger.members(set);
    if (read.status == StoreStatus::error) co_return unavailable(read.detail);
    for (const std::string& member : read.members) {
      const Result<void> erased = co_await erase_member(services, set, member);
      if (!erased) co_return erased.error();
      ++ended;
    }
    if (read.members.size() >= kMostMembers) continue;
    // What could be ended is. Without the tombstone a login in flight may outlive this: ask again.
    if (written.status != StoreStatus::hit) co_return failure_of(written);
    co_return ended;
  }
}

}  // namespace oidc
