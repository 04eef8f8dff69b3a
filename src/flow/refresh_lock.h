// Whose turn it is to refresh a session: one worker of a machine, by a lease in shared memory, and
// one machine, by a lock in the store's ledger. A refresh token that rotates must be sent once.
#pragma once

#include <string>

#include "oidc/flow.h"

namespace oidc {

// Of lease and lock: longer than everything that is done under them.
[[nodiscard]] Milliseconds refresh_lock_life(const Settings& settings);

// Whether other machines have the same ledger.
[[nodiscard]] bool has_shared_ledger(const SessionSettings& session) noexcept;

// The lock's name: all sids of one login share it, as they share the one refresh token.
[[nodiscard]] StoreKey refresh_family(const OpenSession& session);

struct RefreshLock {
  RefreshLock(const Services& services, const StoreKey& family);

  std::string lease;     // the machine's
  std::string failure;   // why the machine's last try failed, for a moment
  std::string in_store;  // the lock of all machines; empty: the store is this machine's own
  std::string owner;
  Milliseconds life;
  std::uint64_t ends = 0;  // of the lock, on the loop's monotonic clock
  bool asked = false;    // for the lock: it may be ours even where nobody said so
  bool held = false;     // the lock; true from the start where there is none
};

// Waits for other workers at most as long as one of them may take, then goes on regardless: what is
// left of one that died is no reason to wait for ever.
[[nodiscard]] Task<void> take_lease(Services& services, RefreshLock& lock);
// The owner is still at work.
void keep_lease(Services& services, const RefreshLock& lock);

// ours: `held` is set. others: somebody else has it. unknown: the store did not say.
enum class LockTry : std::uint8_t { ours, others, unknown };
[[nodiscard]] Task<LockTry> try_lock(Services& services, RefreshLock& lock);

// Gives both back.
[[nodiscard]] Task<void> release(Services& services, RefreshLock lock);

// Other workers of the machine need not find out by themselves that the provider is in trouble.
void remember_failure(Services& services, const RefreshLock& lock, Errc why);
// Errc::none: no failure counts now.
[[nodiscard]] Errc remembered_failure(Services& services, const RefreshLock& lock);

// How long a failed refresh is not tried again.
inline constexpr Milliseconds kFailureCounts{5000};

}  // namespace oidc
