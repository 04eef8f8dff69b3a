// Ledger (include/oidc/io.h) on a zone: one machine, all workers. Its tasks never suspend. It shares
// the sessions' zone: names of sessions hold no colon, those of the ledger do. A member of a set ends
// with the name of its session's record, after a dot.
//
// A full zone evicts sessions for it; entries are never evicted.
#pragma once

#include <string>
#include <vector>

#include "io/shm_evictions.h"
#include "io/shm_zone.h"
#include "oidc/cookie_store.h"
#include "oidc/io.h"

namespace oidc {

class ShmLedger final : public Ledger, public LedgerAtHand {
 public:
  // Of one entry, or of a set with all its members.
  static constexpr std::size_t kMaxValue = 64 * 1024;

  // What a full zone does: evict what was used least, or refuse to write. An entry that keeps a
  // session out must not be forgotten.
  enum class WhenFull : std::uint8_t { evict, refuse };

  // The zone outlives it.
  explicit ShmLedger(ShmZone& zone, WhenFull when_full = WhenFull::evict)
      : zone_(zone), evicts_(when_full == WhenFull::evict), buffer_(kMaxValue) {}

  [[nodiscard]] Task<LedgerRead> read(std::string name) override;
  [[nodiscard]] Task<StoreWrite> write(std::string name, std::string value,
                                       Milliseconds ttl) override;
  [[nodiscard]] Task<StoreWrite> add(std::string name, std::string value,
                                     Milliseconds ttl) override;
  [[nodiscard]] Task<StoreWrite> erase_if_equal(std::string name, std::string value) override;
  [[nodiscard]] Task<StoreWrite> join(std::string set, std::string member,
                                      Milliseconds ttl) override;
  [[nodiscard]] Task<StoreWrite> leave(std::string set, std::string member) override;
  [[nodiscard]] Task<LedgerMembers> members(std::string set) override;
  [[nodiscard]] bool holds(std::string_view name) override;

 private:
  struct Evicted {
    std::uint64_t sets = 0, sessions = 0;
  };
  // The set that was not used for the longest time, and the sessions that it names: nobody could
  // log them out any more. False: there is none but `besides`.
  bool evict_set(ShmTable& table, std::string_view besides, std::uint64_t now, Evicted& evicted);
  [[nodiscard]] StoreWrite put(const std::string& name, std::string_view value, Milliseconds ttl,
                               ShmTable::When when);

  ShmZone& zone_;
  bool evicts_;
  std::vector<char> buffer_;
  ShmEvictions evictions_{zone_};
};

}  // namespace oidc
