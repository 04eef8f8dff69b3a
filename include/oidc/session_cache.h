// Opened sessions of one worker and one store, so that a request costs neither the store nor a
// decryption. A store that uses a cache reports each read to it (Reading, confirm) and each change
// that it hears of (invalidate, flush); whoever opened what was read keeps it here.
//
// An entry is used only while the store says that what was read is still so (Coherence), and never
// beyond the record's own life in the store or max_age.
#pragma once

#include <array>
#include <cstdint>
#include <list>
#include <memory>
#include <optional>
#include <string_view>
#include <unordered_map>

#include "oidc/io.h"
#include "oidc/key_ring.h"
#include "oidc/session.h"

namespace oidc {

// How a store names what it read: a place and the version there, or the connection that watches it.
struct CacheMark {
  std::uint64_t place = 0;
  std::uint64_t version = 0;
};

class Coherence {
 public:
  virtual ~Coherence() = default;
  // Whether nothing read under this mark can have changed unnoticed.
  [[nodiscard]] virtual bool current(const CacheMark& mark) const noexcept = 0;
  // Whether the one that was read from still decides. False, and for ever, for what was read before
  // a failover: not even an outage makes it worth anything.
  [[nodiscard]] virtual bool valid(const CacheMark&) const noexcept { return true; }
};

class SessionCache {
 public:
  struct Limits {
    std::size_t bytes = 0;
    Milliseconds max_age{60000};
    Milliseconds outage{0};  // how long what the store confirmed may serve while it does not answer
  };
  // The coherence outlives it.
  SessionCache(Limits limits, const Coherence& coherence) noexcept
      : limits_(limits), coherence_(coherence) {}
  SessionCache(const SessionCache&) = delete;
  SessionCache& operator=(const SessionCache&) = delete;

  // ---- for stores. Times are milliseconds of the loop's monotonic clock. -----------------------

  // A read under way: begins before the store is asked. What an invalidation overtook is not kept.
  class Reading {
   public:
    Reading(SessionCache& cache, const StoreKey& key, std::uint64_t now);
    Reading(const Reading&) = delete;
    Reading& operator=(const Reading&) = delete;
    ~Reading();

   private:
    friend class SessionCache;
    SessionCache& cache_;
    StoreKey key_;
    std::uint64_t began_;
    bool overtaken_ = false;
  };

  // The read's answer: this generation is there, and lives for `left` from the read's begin.
  void confirm(const Reading& reading, std::string_view generation, const CacheMark& mark,
               Milliseconds left);
  // For stores that answer at once.
  void confirm(const StoreKey& key, std::string_view generation, const CacheMark& mark,
               std::uint64_t now, std::uint64_t expires_at);
  // The record has changed, or may have.
  void invalidate(const StoreKey& key) noexcept;
  void flush() noexcept;

  // ---- for whoever opens sessions --------------------------------------------------------------

  // Kept only if this generation was confirmed and nothing was heard since.
  void keep(const std::shared_ptr<const OpenSession>& session, const KeyRing& keys,
            std::string_view identity);
  // What may be used without asking the store; null: ask. The cookie was verified by these keys for
  // this identity. By the sid: the store's name for it is a hash that a hit need not compute.
  [[nodiscard]] std::shared_ptr<const OpenSession> find(const SessionCookie& cookie,
                                                        const KeyRing& keys,
                                                        std::string_view identity,
                                                        std::uint64_t now);
  // While the store does not answer: what it confirmed within `within`.
  [[nodiscard]] std::shared_ptr<const OpenSession> find_confirmed(const StoreKey& key,
                                                                  const KeyRing& keys,
                                                                  std::string_view identity,
                                                                  std::uint64_t now,
                                                                  Milliseconds within);
  // How long the record lives in the store, as far as is known; nullopt: it is not.
  [[nodiscard]] std::optional<Milliseconds> left(const StoreKey& key, std::uint64_t now) const;

  struct Stats {
    std::size_t entries = 0;
    std::size_t bytes = 0;
    std::uint64_t hits = 0;
    std::uint64_t misses = 0;
    std::uint64_t evicted = 0;
    std::uint64_t invalidated = 0;
  };
  [[nodiscard]] Stats stats() const noexcept;

 private:
  struct Entry {
    StoreKey key;
    std::array<char, kGenerationSize> generation{};
    CacheMark mark;
    std::uint64_t confirmed_at = 0;
    std::uint64_t expires_at = 0;
    std::shared_ptr<const OpenSession> session;  // null: confirmed, not opened yet
    std::array<char, 32> identity{};
    const KeyRing* keys = nullptr;
    std::size_t bytes = 0;
    std::size_t prepared = 0;  // of `bytes`: headers made of the session
  };
  using Sid = std::array<char, kSidSize>;
  struct Hash {
    std::size_t operator()(const StoreKey& key) const noexcept;
    std::size_t operator()(const Sid& sid) const noexcept;
  };
  using Entries = std::list<Entry>;  // the one used last is first

  [[nodiscard]] Entry* use(Entries::iterator entry, const KeyRing& keys,
                           std::string_view identity, std::uint64_t now) noexcept;
  void forget_session(Entry& entry) noexcept;
  void drop(Entries::iterator entry) noexcept;
  void weigh_again(Entry& entry) noexcept;
  void make_room() noexcept;

  Limits limits_;
  const Coherence& coherence_;
  Entries entries_;
  std::unordered_map<StoreKey, Entries::iterator, Hash> index_;
  std::unordered_map<Sid, Entries::iterator, Hash> by_sid_;  // of entries with a session
  std::unordered_multimap<StoreKey, Reading*, Hash> readings_;
  std::size_t bytes_ = 0;
  Stats stats_;
};

}  // namespace oidc
