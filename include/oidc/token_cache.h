// What one worker knows of access tokens that it has judged, so that the next request with the same
// one costs neither a signature nor a call to the provider. An entry belongs to one Settings: another
// location's rules are another judgement. Credentials that were exchanged for a token are in it, too,
// under a MAC of theirs.
//
// Entries are found by SipHash under a random key of the process and compared to the last byte:
// nothing rests on the hash, so it need not be a slow one.
#pragma once

#include <array>
#include <cstdint>
#include <list>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "oidc/loop.h"
#include "oidc/result.h"
#include "oidc/session.h"
#include "oidc/settings.h"

namespace oidc {

// No entry is older, however long its token lives.
inline constexpr Seconds kLongestTokenEntry = 300;
// Calls about tokens that are under way at one time, for each worker and provider: half of the
// connections that a worker has to a provider.
inline constexpr std::size_t kMostTokenCalls = 32;

class TokenCache {
 public:
  struct Limits {
    std::size_t entries = 0;
    std::size_t bytes = 0;
  };
  explicit TokenCache(Limits limits);
  TokenCache(const TokenCache&) = delete;
  TokenCache& operator=(const TokenCache&) = delete;

  struct Judgement {
    std::shared_ptr<const OpenSession> session;  // null: refused, for `why`
    Error why;
    Seconds until = 0;  // the entry's end
    // The version of the key sets that verified it; nullopt: no key did.
    std::optional<std::uint64_t> keys;
    // Headers of the token endpoint's answer, for the client (oidc_token_headers_replay).
    std::vector<std::pair<std::string, std::string>> replay = {};
  };

  // nullptr: unknown, over, or verified by keys that are not the present ones. Until the next call.
  [[nodiscard]] const Judgement* find(const Settings& settings, std::string_view token, Seconds now,
                                      std::optional<std::uint64_t> keys) noexcept;
  // Refusals have a room of their own: a flood of them pushes no good token out.
  void keep(const Settings& settings, std::string_view token, Judgement judgement);

  // ---- calls under way: one for each token -----------------------------------------------------
  using Answer = Result<std::shared_ptr<const OpenSession>>;
  using Arrival = std::shared_ptr<Promised<std::shared_ptr<const Answer>>>;
  [[nodiscard]] Arrival under_way(const Settings& settings, std::string_view token) const;
  // nullptr: kMostTokenCalls are under way at this provider. Whoever makes up tokens must neither fill
  // the memory nor take all connections from logins and refreshes.
  [[nodiscard]] Arrival begin(const Settings& settings, std::string_view token);
  void end(const Settings& settings, std::string_view token);

 private:
  struct Entry {
    std::uint64_t hash = 0;
    const Settings* settings = nullptr;
    std::string token;
    Judgement judgement;
    [[nodiscard]] std::size_t bytes() const noexcept;
  };
  // Least recently used goes first.
  class Room {
   public:
    [[nodiscard]] Entry* find(std::uint64_t hash) noexcept;
    void put(Entry entry, Limits limits);
    void drop(std::uint64_t hash) noexcept;

   private:
    using Entries = std::list<Entry>;
    Entries entries_;
    std::unordered_map<std::uint64_t, Entries::iterator> index_;
    std::size_t bytes_ = 0;
  };

  [[nodiscard]] std::uint64_t hash_of(const Settings& settings,
                                      std::string_view token) const noexcept;

  Limits limits_;
  std::array<std::uint64_t, 2> seed_{};
  Room accepted_, refused_;
  std::map<std::string, Arrival, std::less<>> under_way_;
  std::map<std::size_t, std::size_t> calls_;  // under way, by Settings::provider_index
};

}  // namespace oidc
