// The end of sessions in the store: their records, and the records of sids that renewed them.
#pragma once

#include <vector>

#include "oidc/io.h"
#include "oidc/result.h"
#include "oidc/task.h"

namespace oidc {

struct ErasedSessions {
  Result<void> done;           // store_unavailable: to be tried again
  std::vector<StoreKey> keys;  // that are gone, also where not all are
};
// Follows the ledger's entries from each sid to the one that renewed it.
[[nodiscard]] Task<ErasedSessions> erase_with_successors(SessionStore& store, Ledger& ledger,
                                                         std::vector<StoreKey> keys);

// The entry from an old key to the new ones: one key, or a session's and its remember cookie's.
[[nodiscard]] std::string renewal_entry(const StoreKey& key);

}  // namespace oidc
