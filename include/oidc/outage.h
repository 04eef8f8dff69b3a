// oidc_session_outage: a logout while the store does not answer. It holds on this machine at once,
// by a tombstone in shared memory, and is told to the store when that is back.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "oidc/flow.h"

namespace oidc {

// How this machine's workers, also those after a reload, name a store.
[[nodiscard]] std::string store_name(const SessionSettings& session);

// What the store is to be told later. With `sets` also what renewed the session meanwhile, however
// long ago: the sessions in these sets that the same login made.
struct OwedLogout {
  StoreKey key;
  Seconds created = 0;            // the record's; 0: nothing else is looked for in the sets
  std::vector<std::string> sets;  // of the index
};
// False: no room to remember it.
[[nodiscard]] bool remember_logout(Services& services, const OwedLogout& owed);
// A logout that the store was told of: a worker that did not hear of it must not go by what it has
// cached, should the store be away a moment later.
void note_logout(Services& services, const StoreKey& key);
[[nodiscard]] bool was_logged_out(SharedMemory& shared, const StoreKey& key);
// Ends what was remembered, and the sids that renewed it, as far as the store answers. The tombstones
// stay for `longer`: other workers may not have heard yet that the store is back.
[[nodiscard]] Task<void> replay_logouts(SharedMemory& shared, SessionStore& store, Ledger& ledger,
                                        std::string name, Milliseconds longer);

}  // namespace oidc
