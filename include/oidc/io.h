// What flows may ask of the outside world. Implemented over nginx's event loop in src/io, and by
// scripts in the unit tests. Every call is lazy, may be cancelled by destroying its Task, and never
// blocks.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "oidc/loop.h"
#include "oidc/result.h"
#include "oidc/secret.h"
#include "oidc/task.h"

namespace oidc {

// ---- the provider ----------------------------------------------------------------------------

struct HttpRequest {
  bool post = false;
  std::string url;
  std::string accept = "application/json";
  std::string content_type;  // of the body; empty: none is sent
  Secret body;
  Secret authorization;      // the value of the Authorization header; empty: none
  std::vector<std::pair<std::string, std::string>> headers;  // further ones
  std::vector<std::string> keep_headers = {};  // of the answer, in lower case
  std::size_t max_body = 1024 * 1024;
};

struct HttpResponse {
  int status = 0;
  std::string content_type;  // lower case, without parameters
  std::string body;
  std::vector<std::pair<std::string, std::string>> headers = {};  // those of keep_headers
};

// A client for one provider: TLS trust, proxies, timeouts and resolver are its own. Follows no
// redirects, reads no more than max_body, asks for no compression.
class HttpClient {
 public:
  virtual ~HttpClient() = default;
  // Any complete answer is a value, whatever its status. Fails with provider_unreachable,
  // provider_timeout, provider_tls, provider_answer_truncated or provider_answer_too_large.
  [[nodiscard]] virtual Task<Result<HttpResponse>> send(HttpRequest request) = 0;
};

// ---- sessions --------------------------------------------------------------------------------

// The name of a session in a store: base64url of a hash of the sid. Never the sid.
struct StoreKey {
  std::array<char, 43> text{};
  [[nodiscard]] std::string_view view() const noexcept { return {text.data(), text.size()}; }
  friend bool operator==(const StoreKey&, const StoreKey&) = default;
};

// hit: found, or done. miss: not there (replace: not there or another generation).
// error: the store did not say; nothing may be concluded about the session.
enum class StoreStatus : std::uint8_t { hit, miss, error };

struct StoreRead {
  StoreStatus status = StoreStatus::error;
  std::string envelope;  // when hit
  std::string detail;    // when error, for the log
};

struct StoreWrite {
  StoreStatus status = StoreStatus::error;
  bool full = false;     // an error because the store has no room
  std::string detail;
};

// Envelopes are opaque but for their first kGenerationSize bytes, the generation: each write of a
// record has another one, and replace() compares it (compare-and-set on one key).
inline constexpr std::size_t kGenerationSize = 8;

// How long a replaced session lives on for requests in flight, given its idle timeout or the like.
[[nodiscard]] inline Milliseconds grace_of(Milliseconds ttl) noexcept {
  return std::min(Milliseconds(10000), ttl / 4);
}

class SessionStore {
 public:
  virtual ~SessionStore() = default;
  [[nodiscard]] virtual Task<StoreRead> read(StoreKey key) = 0;
  // Overwrites; ttl > 0.
  [[nodiscard]] virtual Task<StoreWrite> insert(StoreKey key, std::string envelope,
                                                Milliseconds ttl) = 0;
  // The record's life is never made longer: `ttl` is an upper bound.
  [[nodiscard]] virtual Task<StoreWrite> replace(StoreKey key, std::string expected_generation,
                                                 std::string envelope, Milliseconds ttl) = 0;
  // Sets the time to live of a record that is there, but leaves one alone that has no more than
  // grace_of(ttl) left (a miss, as where there is none): a session that a new login replaced must
  // not come back to life.
  [[nodiscard]] virtual Task<StoreWrite> touch(StoreKey key, Milliseconds ttl) = 0;
  // hit also when there was nothing to erase.
  [[nodiscard]] virtual Task<StoreWrite> erase(StoreKey key) = 0;

  // Stores that can answer at once, in this call, do: the hot path. nullopt: ask read().
  // The view is valid until the next call on the store.
  struct Immediate {
    StoreStatus status;
    std::string_view envelope;
  };
  [[nodiscard]] virtual std::optional<Immediate> read_now(const StoreKey& key) {
    static_cast<void>(key);
    return std::nullopt;
  }
};

// ---- what all gateways of one store agree on ----------------------------------------------------

struct LedgerRead {
  StoreStatus status = StoreStatus::error;
  std::string value;   // when hit
  std::string detail;  // when error, for the log
};

struct LedgerMembers {
  StoreStatus status = StoreStatus::error;  // hit also when the set is empty
  std::vector<std::string> members;         // that have not expired; the one that ends first is first
  std::string detail;
};

// A reply of Redis has to end; who wants all of a set takes out what he has seen and asks again.
inline constexpr std::size_t kMostMembers = 1000;

// Small entries and sets beside the sessions: locks, tombstones, identifiers that were seen, the
// index of sessions. Each call is atomic and about one key, so it works in a cluster too. Names are
// namespaced by the caller, "lock:..." for instance; ttl > 0.
class Ledger {
 public:
  virtual ~Ledger() = default;
  [[nodiscard]] virtual Task<LedgerRead> read(std::string name) = 0;
  // Overwrites.
  [[nodiscard]] virtual Task<StoreWrite> write(std::string name, std::string value,
                                               Milliseconds ttl) = 0;
  // hit: it was put there. miss: there was something already, be it the same value.
  [[nodiscard]] virtual Task<StoreWrite> add(std::string name, std::string value,
                                             Milliseconds ttl) = 0;
  // hit: erased. miss: not there, or another value.
  [[nodiscard]] virtual Task<StoreWrite> erase_if_equal(std::string name, std::string value) = 0;

  // A member of a set lives for its own `ttl`; joining again moves its end. A set without members
  // is not there.
  [[nodiscard]] virtual Task<StoreWrite> join(std::string set, std::string member,
                                              Milliseconds ttl) = 0;
  [[nodiscard]] virtual Task<StoreWrite> leave(std::string set, std::string member) = 0;
  // At most kMostMembers, those that end first.
  [[nodiscard]] virtual Task<LedgerMembers> members(std::string set) = 0;
};

// ---- what the workers of one machine share -----------------------------------------------------

// A small shared-memory dictionary with expiry, kept over reloads; never blocks beyond a memory
// copy. Names are namespaced by the caller. Used for discovery documents, key sets, used states,
// throttles and leases.
class SharedMemory {
 public:
  virtual ~SharedMemory() = default;
  // nullopt: absent or expired.
  [[nodiscard]] virtual std::optional<std::string> get(std::string_view name) = 0;
  // false: no room even after expired entries went.
  virtual bool put(std::string_view name, std::string_view value, Milliseconds ttl) = 0;
  // Puts only where nothing (unexpired) is: true = it was put. Atomic between workers. When there is
  // no room at all it answers false as well: callers fail closed.
  virtual bool put_if_absent(std::string_view name, std::string_view value, Milliseconds ttl) = 0;
  // Erases only where the value equals: a lease is released by its owner alone.
  virtual void erase_if_equal(std::string_view name, std::string_view value) = 0;
};

// ---- the request's body ------------------------------------------------------------------------

class BodyReader {
 public:
  virtual ~BodyReader() = default;
  // The whole body, at most `max` bytes, never in a file. Fails with too_large, malformed (the
  // client left or broke off) or internal.
  [[nodiscard]] virtual Task<Result<Secret>> read(std::size_t max) = 0;
};

}  // namespace oidc
