#include "oidc/outage.h"

#include <algorithm>
#include <optional>

#include "erase_sessions.h"
#include "oidc/crypto.h"
#include "oidc/fields.h"
#include "session_index.h"

namespace oidc {
namespace {

// Logouts that one machine may owe one store; a further one is refused (503).
constexpr int kPlaces = 1024;
constexpr std::string_view kTombstone = "1";

std::string tombstone_of(std::string_view key) {
  return std::string("logged_out:").append(key);
}

// Where the replay finds them: shared memory knows no lists.
std::string place_of(std::string_view store, int number) {
  return std::string("unsent_logout:").append(store).append(":").append(std::to_string(number));
}

// Holds another value after each new one, so that whoever found all places empty forgets no late one.
std::string notice_of(std::string_view store) {
  return std::string("unsent_logouts:").append(store);
}

// One replay at a time: two would each take what the other one has erased for a session that was renewed,
// and look for it among the user's other logins. It goes with its holder, which may be cancelled; should
// a worker die, others go on after a while.
class ReplayLease {
 public:
  ReplayLease(SharedMemory& shared, std::string_view store)
      : shared_(shared),
        name_(std::string("replays_logouts:").append(store)),
        owner_(random_string(16)),
        held_(shared.put_if_absent(name_, owner_, kLife)) {}
  ReplayLease(const ReplayLease&) = delete;
  ReplayLease& operator=(const ReplayLease&) = delete;
  ~ReplayLease() {
    if (held_) shared_.erase_if_equal(name_, owner_);
  }
  [[nodiscard]] bool held() const noexcept { return held_; }

 private:
  static constexpr Milliseconds kLife{60'000};

  SharedMemory& shared_;
  std::string name_, owner_;
  bool held_;
};

std::string encode(const OwedLogout& owed) {
  FieldWriter out;
  out.text(owed.key.view()).i64(owed.created);
  for (const std::string& set : owed.sets) out.text(set);
  return out.take();
}

std::optional<OwedLogout> decode(std::string_view bytes) {
  FieldReader in(bytes);
  OwedLogout owed;
  const auto key = parse_store_key(in.text());
  owed.created = in.i64();
  while (!in.failed() && !in.complete()) owed.sets.emplace_back(in.text());
  if (in.failed() || !key) return std::nullopt;
  owed.key = *key;
  return owed;
}

bool names(const std::vector<std::string>& members, const StoreKey& key) {
  return std::any_of(members.begin(), members.end(), [&](const std::string& member) {
    const auto session = IndexedSession::parse(member);
    return session && session->key == key;
  });
}

// Members of the set that are gone by now, or that the same login made. A login is known by its second
// only, which another one of the user may share: this is for a key that a renewal has taken out, too
// long ago for the ledger to say what came after it.
Task<Result<void>> end_siblings(SessionStore& store, Ledger& ledger, OwedLogout owed,
                                std::string set, std::vector<StoreKey> gone) {
  const LedgerMembers read = co_await ledger.members(set);
  if (read.status == StoreStatus::error) co_return Error{Errc::store_unavailable, read.detail};
  if (names(read.members, owed.key)) owed.created = 0;
  for (const std::string& member : read.members) {
    const auto session = IndexedSession::parse(member);
    if (!session) continue;
    const bool is_gone = std::find(gone.begin(), gone.end(), session->key) != gone.end();
    const bool same_login = owed.created != 0 && session->created == owed.created;
    if (!is_gone && !same_login) continue;
    std::vector<StoreKey> keys{session->key};
    if (!is_gone) {
      const ErasedSessions erased = co_await erase_with_successors(store, ledger, std::move(keys));
      if (!erased.done) co_return erased.done;
    }
    const StoreWrite left = co_await ledger.leave(set, member);
    if (left.status == StoreStatus::error) co_return Error{Errc::store_unavailable, left.detail};
  }
  co_return Result<void>();
}

Task<Result<std::vector<StoreKey>>> end_owed(SessionStore& store, Ledger& ledger, OwedLogout owed) {
  std::vector<StoreKey> keys{owed.key};
  ErasedSessions erased = co_await erase_with_successors(store, ledger, std::move(keys));
  if (!erased.done) co_return erased.done.error();
  for (const std::string& set : owed.sets) {
    const Result<void> done = co_await end_siblings(store, ledger, owed, set, erased.keys);
    if (!done) co_return done.error();
  }
  co_return std::move(erased.keys);
}

}  // namespace

std::string store_name(const SessionSettings& session) {
  const RedisSettings& redis = session.redis;
  std::string name(redis.socket.empty() ? redis.host : redis.socket);
  name.append(":").append(std::to_string(redis.port));
  name.append("/").append(std::to_string(redis.database));
  name.append("/").append(redis.prefix);
  name.append("/").append(redis.sentinel_master);
  for (const auto* nodes : {&redis.sentinel_nodes, &redis.cluster_nodes}) {
    for (const auto& node : *nodes) {
      name.append("/").append(node.host).append(":").append(std::to_string(node.port));
    }
  }
  return name;
}

bool remember_logout(Services& services, const OwedLogout& owed) {
  const StoreKey& key = owed.key;
  const std::string debt = encode(owed);
  if (was_logged_out(services.shared, key)) return true;  // and owed since then
  const Milliseconds life =
      store_ttl(0, services.settings.session.absolute_timeout, services.loop.now());
  const std::string name = store_name(services.settings.session);
  for (int i = 0; i < kPlaces; ++i) {
    const std::string place = place_of(name, i);
    if (!services.shared.put_if_absent(place, debt, life)) {
      if (services.shared.get(place)) continue;
      return false;
    }
    // The tombstone last: where it is, all of it is.
    if (services.shared.put(notice_of(name), random_string(16), life) &&
        services.shared.put(tombstone_of(key.view()), kTombstone, life)) {
      return true;
    }
    services.shared.erase_if_equal(place, debt);
    return false;
  }
  return false;
}

void note_logout(Services& services, const StoreKey& key) {
  const Seconds cached = services.settings.session.outage_cached;
  if (cached == 0) return;
  services.shared.put_if_absent(tombstone_of(key.view()), kTombstone, Milliseconds(cached * 1000));
}

bool was_logged_out(SharedMemory& shared, const StoreKey& key) {
  return shared.get(tombstone_of(key.view())).has_value();
}

Task<void> replay_logouts(SharedMemory& shared, SessionStore& store, Ledger& ledger,
                          std::string name, Milliseconds longer) {
  const std::optional<std::string> notice = shared.get(notice_of(name));
  if (!notice) co_return;
  const ReplayLease lease(shared, name);
  if (!lease.held()) co_return;
  bool all = true;
  for (int i = 0; i < kPlaces; ++i) {
    const std::string place = place_of(name, i);
    const std::optional<std::string> debt = shared.get(place);
    const std::optional<OwedLogout> owed = debt ? decode(*debt) : std::nullopt;
    if (!owed) continue;
    const OwedLogout logout = *owed;
    const Result<std::vector<StoreKey>> ended = co_await end_owed(store, ledger, logout);
    if (!ended) {
      all = false;  // another node of a cluster may well answer
      continue;
    }
    for (const StoreKey& key : *ended) {
      shared.put(tombstone_of(key.view()), kTombstone, longer);
    }
    shared.erase_if_equal(place, *debt);
  }
  if (all) shared.erase_if_equal(notice_of(name), *notice);
}

}  // namespace oidc
