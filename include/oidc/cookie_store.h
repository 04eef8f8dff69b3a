// The store of sessions that live in cookies (session_parts.h). It keeps no session; it keeps what
// cookies cannot say of themselves, in a ledger:
//
//   ended:KEY      the session was ended, from the time on that is its value: until no cookie of it
//                  could live any more
//   newer:KEY:GEN  what a refresh made of this version, for requests that still carry it; or, where
//                  the sid was renewed, a pointer to the next one
//   newer:KEY      the first version under a renewed sid, for whoever is led there by the old one
//
// So this class says what is so of a session as far as the machines that share the ledger know.
#pragma once

#include <cstdint>
#include <list>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>

#include "oidc/flow.h"
#include "oidc/io.h"
#include "oidc/session_parts.h"

namespace oidc {

// A ledger that can say at once whether an entry is there: the hot path.
class LedgerAtHand {
 public:
  virtual ~LedgerAtHand() = default;
  [[nodiscard]] virtual bool holds(std::string_view name) = 0;
};

// Sessions that this worker has opened, by sid, as the very bytes from which they were opened: what
// a request saves is the decryption. The one used last is dropped last.
class OpenedParts {
 public:
  explicit OpenedParts(std::size_t bytes) noexcept : limit_(bytes) {}
  [[nodiscard]] std::shared_ptr<const OpenSession> find(const SessionCookie& cookie,
                                                        const PartSet& set);
  void keep(const std::shared_ptr<const OpenSession>& session, const PartSet& set);
  [[nodiscard]] std::size_t size() const noexcept { return index_.size(); }

 private:
  struct Entry {
    std::array<char, kSidSize> sid;
    std::string text;  // the parts, one after the other
    std::shared_ptr<const OpenSession> session;
  };
  struct Hash {
    std::size_t operator()(const std::array<char, kSidSize>& sid) const noexcept;
  };
  using Entries = std::list<Entry>;
  void drop(Entries::iterator entry) noexcept;

  std::size_t limit_;
  std::size_t bytes_ = 0;
  Entries entries_;
  std::unordered_map<std::array<char, kSidSize>, Entries::iterator, Hash> index_;
};

class CookieStore final : public SessionStore {
 public:
  struct Limits {
    Milliseconds longest_life{0};      // of a session: how long its end is remembered
    Milliseconds longest_sid_life{0};  // of one sid
    std::size_t cache_bytes = 0;       // 0: none
  };
  // The newest version of a session is known for so long to requests that carry an older one.
  static constexpr Milliseconds kNewerLife{60'000};

  // All outlive it. `at_hand` may be null.
  CookieStore(Ledger& ledger, LedgerAtHand* at_hand, Loop& loop, Limits limits)
      : ledger_(ledger), at_hand_(at_hand), loop_(loop), limits_(limits), opened_(limits.cache_bytes) {}

  // hit: not ended, as far as is known; without an envelope, which the browser has.
  [[nodiscard]] Task<StoreRead> read(StoreKey key) override;
  // A sid's first version, for whoever is led to it.
  [[nodiscard]] Task<StoreWrite> insert(StoreKey key, std::string envelope,
                                        Milliseconds ttl) override;
  // Hit for the first who replaces this generation, unless the session was ended.
  [[nodiscard]] Task<StoreWrite> replace(StoreKey key, std::string expected_generation,
                                         std::string envelope, Milliseconds ttl) override;
  // The session ends after `ttl`, and no later: that of one that a new login replaced.
  [[nodiscard]] Task<StoreWrite> touch(StoreKey key, Milliseconds ttl) override;
  [[nodiscard]] Task<StoreWrite> erase(StoreKey key) override;

  // As replace(), by a pointer that stays for as long as the old sid could live.
  [[nodiscard]] Task<StoreWrite> supersede(StoreKey key, std::string expected_generation,
                                           std::string pointer);
  // What has taken the place of this generation; of an empty one: the first that there was.
  [[nodiscard]] Task<StoreRead> newer(StoreKey key, std::string generation);

  // True: asked at once, and nothing is known against this version. False: ask read() and newer().
  [[nodiscard]] bool is_current(const StoreKey& key, std::string_view generation);
  [[nodiscard]] OpenedParts& opened() noexcept { return opened_; }

 private:
  [[nodiscard]] Task<StoreWrite> put_newer(StoreKey key, std::string generation,
                                           std::string envelope, Milliseconds life);

  Ledger& ledger_;
  LedgerAtHand* at_hand_;
  Loop& loop_;
  Limits limits_;
  OpenedParts opened_;
};

// How long ago a session was used may be wrong by so much: the idle time is moved no more often.
[[nodiscard]] Seconds touch_interval(Seconds idling_timeout) noexcept;

// The hot path: the session of a request whose cookies need nothing; null: ask find_session.
[[nodiscard]] std::shared_ptr<const OpenSession> session_in_cookies(Services& services,
                                                                    const SessionCookie& cookie,
                                                                    const PartsFinder& parts,
                                                                    std::string_view name);

}  // namespace oidc
