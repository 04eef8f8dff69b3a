// One provider as a worker knows it: its metadata and key set, fetched lazily, shared by all workers
// of the machine and kept over reloads; one fetch at a time.
#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "oidc/discovery.h"
#include "oidc/io.h"
#include "oidc/jose.h"
#include "oidc/settings.h"

namespace oidc {

class EventLog;

// Whose need of newer keys it is: each kind of token has its own turns.
enum class KeyBudget : std::uint8_t { callback, logout_token, access_token };

using KeySets = std::vector<std::shared_ptr<const KeySet>>;

struct NewerKeys {
  std::shared_ptr<const KeySet> keys;
  // The provider was asked since the call: what is not among the keys is unknown to it. Else
  // somebody asked before, and it is not to be asked again yet, or it did not answer.
  bool asked = false;
};

class Provider {
 public:
  // Everything is kept by reference and must outlive the provider; the provider lives as long as
  // the worker.
  Provider(const ProviderSettings& settings, HttpClient& http, SharedMemory& shared, Loop& loop,
           EventLog& log);
  ~Provider();
  Provider(const Provider&) = delete;
  Provider& operator=(const Provider&) = delete;

  // Fails with discovery_unavailable, discovery_invalid or discovery_issuer_mismatch. An old document
  // serves while a new one is fetched.
  [[nodiscard]] Task<Result<std::shared_ptr<const ProviderMetadata>>> metadata();
  // The key set as it is known.
  [[nodiscard]] Task<Result<std::shared_ptr<const KeySet>>> keys();
  // Another one than `seen`, because a token's key was not in it or did not verify: fetched at most
  // once per oidc_rediscovery_lifetime on this machine for each budget; fetches for other reasons
  // count for none. `seen` itself when nothing newer is to be had.
  [[nodiscard]] Task<Result<NewerKeys>> newer_keys(std::shared_ptr<const KeySet> seen,
                                                   KeyBudget budget = KeyBudget::callback);

  // For access tokens: the key set and those of oidc_extra_jwks_uris. What cannot be had is null; it
  // fails where nothing can be had.
  [[nodiscard]] Task<Result<KeySets>> access_token_keys();
  // The same after a token's key was in none of `seen`, or did not verify.
  [[nodiscard]] Task<Result<KeySets>> newer_access_token_keys(KeySets seen);
  // Another number when any of these key sets has changed; nullopt while one is unknown or old. It
  // never waits.
  [[nodiscard]] std::optional<std::uint64_t> keys_version() const;
  // The same, if these are the present ones.
  [[nodiscard]] std::optional<std::uint64_t> keys_version(const KeySets& sets) const;

 private:
  class Documents;
  std::unique_ptr<Documents> documents_;
};

}  // namespace oidc
