#include "erase_sessions.h"

#include <algorithm>

#include "oidc/ledger_names.h"
#include "oidc/outage.h"
#include "session_index.h"
#include "steps.h"

namespace oidc {
namespace {

constexpr std::size_t kMostKeys = 32;

void add_keys(std::vector<StoreKey>& keys, std::string_view names) {
  constexpr std::size_t kSize = sizeof(StoreKey::text);
  for (; !names.empty(); names.remove_prefix(std::min(names.size(), kSize))) {
    const auto next = parse_store_key(names.substr(0, kSize));
    if (next && std::find(keys.begin(), keys.end(), *next) == keys.end()) keys.push_back(*next);
  }
}

}  // namespace

std::string renewal_entry(const StoreKey& key) {
  return std::string(kRenewals).append(key.view());
}

// The record first, then the entry: a renewal writes them the other way round, so either it finds no
// record to write over, or its entry is found here.
Task<ErasedSessions> erase_with_successors(SessionStore& store, Ledger& ledger,
                                           std::vector<StoreKey> keys) {
  ErasedSessions erased;
  for (std::size_t i = 0; i < keys.size() && i < kMostKeys; ++i) {
    const StoreKey key = keys[i];
    const StoreWrite gone = co_await store.erase(key);
    if (gone.status == StoreStatus::error) {
      erased.done = Error{Errc::store_unavailable, gone.detail};
      co_return erased;
    }
    erased.keys.push_back(key);
    const LedgerRead renewed = co_await ledger.read(renewal_entry(key));
    if (renewed.status == StoreStatus::error) {
      erased.done = Error{Errc::store_unavailable, renewed.detail};
      co_return erased;
    }
    if (renewed.status == StoreStatus::hit) add_keys(keys, renewed.value);
  }
  co_return erased;
}

std::vector<StoreKey> keys_of(const OpenSession& session) {
  std::vector<StoreKey> keys = {session.key()};
  const SessionRecord& record = session.record();
  if (const auto previous = parse_store_key(record.previous)) keys.push_back(*previous);
  if (!record.remember_sid.empty()) keys.push_back(store_key(record.remember_sid));
  return keys;
}

Task<Result<void>> erase_sessions(Services& services, std::vector<StoreKey> keys) {
  const ErasedSessions erased =
      co_await erase_with_successors(services.store, services.ledger, std::move(keys));
  for (const StoreKey& key : erased.keys) note_logout(services, key);
  co_return erased.done;
}

Task<Result<void>> erase_members(Services& services, std::vector<StoreKey> keys, Membership of) {
  const ErasedSessions erased =
      co_await erase_with_successors(services.store, services.ledger, std::move(keys));
  for (const StoreKey& key : erased.keys) note_logout(services, key);
  if (!erased.keys.empty()) co_await unindex_keys(services, of, erased.keys);
  co_return erased.done;
}

Task<Result<void>> erase_session(Services& services, std::shared_ptr<const OpenSession> session) {
  const Membership of = membership_of(session->key(), session->record());
  co_return co_await erase_members(services, keys_of(*session), of);
}

}  // namespace oidc
