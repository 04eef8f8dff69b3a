#include "refresh_lock.h"

#include "oidc/base64url.h"
#include "oidc/crypto.h"
#include "oidc/logout_flows.h"

namespace oidc {
namespace {

constexpr Milliseconds kPoll{20};
constexpr Milliseconds kSpare{10000};
constexpr Milliseconds kFlightSpare{120'000};

// The longest that one call on the store takes. A connection that breaks is tried once more. What
// Cluster and Sentinel do besides ends by the time that may pass after a first failure: until then
// they try, pause, and try once again.
Milliseconds store_call(const SessionSettings& session) {
  if (!has_shared_ledger(session)) return Milliseconds(0);
  const RedisSettings& redis = session.redis;
  const Milliseconds connect(redis.connect_timeout_ms);
  const Milliseconds attempt =
      connect + 2 * Milliseconds(redis.send_timeout_ms + redis.read_timeout_ms);
  if (!redis.cluster_nodes.empty()) {
    const auto redirections = static_cast<Milliseconds::rep>(redis.cluster_max_redirections);
    return (redirections + 2) * attempt + 2 * connect;
  }
  // Sentinels are asked before each attempt to connect, no longer than it takes.
  if (!redis.sentinel_nodes.empty()) return 2 * (attempt + connect) + connect;
  return attempt;
}

}  // namespace

bool has_shared_ledger(const SessionSettings& session) noexcept {
  return session.storage == StorageKind::redis || session.deny_in_redis;
}

// The token request, the key set and a newer one; a read before, a write after, and both of the
// remember cookie's copy. What is left over is for a result that the store does not take at once.
Milliseconds refresh_lock_life(const Settings& settings) {
  const int calls = settings.session.remember.on ? 4 : 2;
  return 3 * Milliseconds(settings.provider.timeout_ms) + calls * store_call(settings.session) +
         kSpare;
}

// A login has its pending login's life, then calls as a refresh makes them; what a refresh got is
// written until its lock ends.
Milliseconds flight_of(const Settings& settings) noexcept {
  const Milliseconds userinfo(settings.userinfo.at_login ? settings.provider.timeout_ms : 0);
  return Milliseconds(settings.authorization.rolling_timeout * 1000) + refresh_lock_life(settings) +
         userinfo + kFlightSpare;
}

StoreKey refresh_family(const OpenSession& session) {
  return store_key(std::string("refresh ").append(session.record().nonce));
}

RefreshLock::RefreshLock(const Services& services, const StoreKey& family)
    : lease("refresh:"),
      failure("refresh failed:"),
      owner(base64url_encode(random_string(16))),
      life(refresh_lock_life(services.settings)) {
  lease.append(family.view());
  failure.append(family.view());
  if (has_shared_ledger(services.settings.session)) {
    in_store.append("lock:refresh:").append(family.view());
  }
  held = in_store.empty();
  ends = services.loop.monotonic_ms() + static_cast<std::uint64_t>(life.count());
}

Task<void> take_lease(Services& services, RefreshLock& lock) {
  for (Milliseconds waited{0}; waited < lock.life; waited += kPoll) {
    if (services.shared.put_if_absent(lock.lease, lock.owner, lock.life)) break;
    if (!services.shared.get(lock.lease)) break;  // no room: compare-and-set still decides
    co_await sleep_for(services.loop, kPoll);
  }
  lock.ends = services.loop.monotonic_ms() + static_cast<std::uint64_t>(lock.life.count());
}

void keep_lease(Services& services, const RefreshLock& lock) {
  if (services.shared.get(lock.lease) != lock.owner) return;
  services.shared.put(lock.lease, lock.owner, lock.life);
}

Task<LockTry> try_lock(Services& services, RefreshLock& lock) {
  const std::uint64_t began = services.loop.monotonic_ms();
  lock.asked = true;
  const StoreWrite added = co_await services.ledger.add(lock.in_store, lock.owner, lock.life);
  bool ours = added.status == StoreStatus::hit;
  if (!ours) {
    // A lost answer, or one to a command that was sent twice, may hide that it is ours.
    const LedgerRead read = co_await services.ledger.read(lock.in_store);
    ours = read.status == StoreStatus::hit && read.value == lock.owner;
    const bool said = read.status != StoreStatus::error &&
                      (added.status == StoreStatus::miss || read.status == StoreStatus::hit);
    if (!ours) co_return said ? LockTry::others : LockTry::unknown;
  }
  lock.held = true;
  lock.ends = began + static_cast<std::uint64_t>(lock.life.count());
  keep_lease(services, lock);
  co_return LockTry::ours;
}

Task<void> release(Services& services, RefreshLock lock) {
  services.shared.erase_if_equal(lock.lease, lock.owner);
  if (!lock.asked) co_return;
  const StoreWrite erased = co_await services.ledger.erase_if_equal(lock.in_store, lock.owner);
  if (erased.status == StoreStatus::error) {
    services.log.write(LogLevel::warn, Errc::store_unavailable, erased.detail);
  }
}

void remember_failure(Services& services, const RefreshLock& lock, Errc why) {
  services.shared.put(lock.failure, std::string(1, static_cast<char>(why)), kFailureCounts);
}

Errc remembered_failure(Services& services, const RefreshLock& lock) {
  const auto code = services.shared.get(lock.failure);
  return code && code->size() == 1 ? static_cast<Errc>(code->front()) : Errc::none;
}

}  // namespace oidc
