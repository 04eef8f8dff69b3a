// Which sessions belong to one subject and to one session of the provider: sets in the ledger, and
// the tombstones of logouts that went through them. All of it does nothing, successfully, with
// oidc_session_store_metadata off.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "oidc/flow.h"

namespace oidc {

// What the index keeps of a session: a member of a set is "CREATED.STOREKEY".
struct IndexedSession {
  StoreKey key;
  Seconds created = 0;  // the record's: equal in all sids that one login had

  [[nodiscard]] std::string member() const;
  // nullopt: no such text was made by member().
  [[nodiscard]] static std::optional<IndexedSession> parse(std::string_view member);
};

// A session with the sets that it belongs to.
struct Membership {
  IndexedSession session;
  std::string subject;
  std::string provider_sid;  // empty: the provider named none
};
[[nodiscard]] Membership membership_of(const StoreKey& key, const SessionRecord& record);

// Called when a record was written under a new key (a login, a renewed sid): puts it into its sets
// for `ttl`, then looks for a logout that overtook it. `began` is when the login began; at a renewal
// the record's `created`. After a failure the caller erases its record and does not use it:
// session_logged_out, store_unavailable or store_full. Nothing of it is left in the sets then.
[[nodiscard]] Task<Result<void>> index_session(Services& services, Membership who,
                                               Milliseconds ttl, Seconds began);
// Moves the end of a session that is in its sets, which may be nearer than before: a sid that was
// replaced keeps its place while it lives, since a logout ends it too. A failure is logged.
[[nodiscard]] Task<void> keep_indexed(Services& services, Membership who, Milliseconds ttl);
// Called when a record was erased. A failure is logged: what stays names nothing, and expires.
[[nodiscard]] Task<void> unindex_session(Services& services, Membership who);
// The same for records of which only the keys are known, and `of`, whose sets they may be in.
[[nodiscard]] Task<void> unindex_keys(Services& services, Membership of,
                                      std::vector<StoreKey> keys);
// Called when a record's life was made shorter: so is that of its place in the sets of `of`.
[[nodiscard]] Task<void> shorten_indexed(Services& services, Membership of, StoreKey key,
                                         Milliseconds ttl);
// Erases records with what renewed them meanwhile (as erase_sessions); they leave the sets of `of`.
[[nodiscard]] Task<Result<void>> erase_members(Services& services, std::vector<StoreKey> keys,
                                               Membership of);

// Whether a logout went through the index since `began`: session_logged_out, or store_unavailable.
// Called after a record was written over (a refresh).
[[nodiscard]] Task<Result<void>> check_not_logged_out(Services& services, Membership who,
                                                      Seconds began);

// ---- the other side: who ends sessions by these names ------------------------------------------

enum class IndexedBy : std::uint8_t { subject, provider_sid };
struct IndexName {
  IndexedBy by = IndexedBy::subject;
  std::string value;
};

// The ledger's names of the sets; none with oidc_session_store_metadata off.
[[nodiscard]] std::vector<std::string> sets_of(const Settings& settings, const Membership& who);

// In the order of their ends. Those that ended early, by a logout for instance, may still be there.
[[nodiscard]] Task<Result<std::vector<IndexedSession>>> sessions_of(Services& services,
                                                                    IndexName name);
// Logs all of them out: a tombstone first, so that no login or refresh in flight survives, then each
// record by the index. How many there were. Where there is no room for the tombstone the records go all
// the same, and it fails.
[[nodiscard]] Task<Result<std::size_t>> end_sessions_of(Services& services, IndexName name);

// ---- how many (session_limit.cpp) --------------------------------------------------------------

// Where oidc_session_max_per_subject says nothing: a set must not grow for ever, and a set that is
// read must come in one piece.
inline constexpr std::size_t kMostSessions = 500;
inline constexpr std::size_t kMostRemembered = 500;

// At a login: the oldest others go until there are no more than allowed. Sessions that are about to
// be replaced (`replaced`, names of the store) do not count.
[[nodiscard]] Task<Result<void>> limit_sessions(Services& services, Membership newest,
                                                std::vector<std::string> replaced);
// When a set takes no more: fewer than it held. A login never fails because of those before it.
[[nodiscard]] Task<Result<void>> make_room_in_sets(Services& services, Membership newest);
// Erases the session that a set names; what is no name of a session only leaves.
[[nodiscard]] Task<Result<void>> erase_member(Services& services, std::string set,
                                              std::string member);

// ------------------------------------------------------------------------------------------------

// How long a login or a refresh of any location of this identity may be in flight before its record
// is written: the life of a tombstone.
[[nodiscard]] Milliseconds longest_flight(const Settings& settings) noexcept;

// nullopt: not a name of the store.
[[nodiscard]] std::optional<StoreKey> parse_store_key(std::string_view text) noexcept;

}  // namespace oidc
