// A session: its cookie, its record, and the sealed envelope that a store keeps.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "oidc/io.h"
#include "oidc/key_ring.h"
#include "oidc/result.h"
#include "oidc/stored_token.h"
#include "oidc/time.h"

namespace oidc {

// ---- the cookie --------------------------------------------------------------------------------
// version 1, key id 4, sid 16, created 5, absolute end 5 (0: none), MAC 16: 47 bytes, 63 characters.
// The MAC covers the cookie's name, its purpose and the identity; fields are length-prefixed.

inline constexpr std::size_t kSidSize = 16;

struct SessionCookie {
  std::array<char, kSidSize> sid{};
  Seconds created = 0;
  Seconds absolute_end = 0;  // 0: none

  [[nodiscard]] std::string_view sid_view() const noexcept { return {sid.data(), sid.size()}; }
};

[[nodiscard]] SessionCookie make_session_cookie(Seconds now, Seconds absolute_timeout);
[[nodiscard]] std::string seal_session_cookie(const SessionCookie& cookie, const KeyRing& keys,
                                              std::string_view cookie_name,
                                              std::string_view identity);
// nullopt when it was not made by us for this name and identity, or its absolute end has passed.
// What verifies is remembered in keys.verified().
[[nodiscard]] std::optional<SessionCookie> open_session_cookie(std::string_view value,
                                                               const KeyRing& keys,
                                                               std::string_view cookie_name,
                                                               std::string_view identity,
                                                               Seconds now);

[[nodiscard]] StoreKey store_key(std::string_view sid);
// A short hash that names the session in logs and keys nothing.
[[nodiscard]] std::string log_id(const StoreKey& key);

// ---- the record --------------------------------------------------------------------------------

// Views into bytes that somebody else keeps.
struct SessionRecord {
  std::uint8_t method = 0;         // Method that made it
  Seconds created = 0;
  Seconds absolute_end = 0;        // 0: none
  Seconds access_expires = 0;      // 0: unknown, used until the session ends
  Seconds tokens_since = 0;        // when these tokens were received
  Seconds auth_time = 0;           // 0: the provider did not say
  Seconds sid_since = 0;           // when this sid was made: oidc_session_rolling_timeout
  std::string_view subject;
  std::string_view provider_sid;   // the ID token's sid claim
  std::string_view scope;
  std::string_view access_token;   // as it is: each request sends it on
  StoredToken refresh_token;       // empty: none
  StoredToken id_token;
  std::string_view nonce;          // of the login: a refreshed ID token may repeat it
  std::string_view acr;            // of the login; empty: the provider did not say
  std::string_view previous;       // StoreKey of the sid that this one renewed; empty: none
  std::string_view remember_sid;   // of the remember cookie that goes with it; empty: none
  std::string_view next_sid;       // of the sid that renewed this one: only a pointer is left here
  // JSON: what the provider said of a token that is no session; of a session: its userinfo.
  std::string_view introspection;
  Seconds userinfo_since = 0;      // when a session's was received; 0: never
  std::string_view answer_jwt;     // `introspection` as it was signed; empty: it was not, or nobody wants it
  std::string_view jwk;            // JSON: who signed the ID token, or a token that is no session
};

[[nodiscard]] std::string encode_record(const SessionRecord& record);
// The record's views point into `bytes`. Errc::session_record_invalid.
[[nodiscard]] Result<SessionRecord> decode_record(std::string_view bytes);

// ---- the envelope ------------------------------------------------------------------------------
// generation 8, version 1, key id 4, AES-256-GCM over the record under a key of secret and sid;
// additional data: purpose, generation, identity.

inline constexpr std::size_t kEnvelopeOverhead = kGenerationSize + 1 + 4 + kAeadOverhead;

[[nodiscard]] std::string seal_envelope(std::string_view record, std::string_view sid,
                                        const KeyRing& keys, std::string_view identity);
[[nodiscard]] std::string_view envelope_generation(std::string_view envelope) noexcept;
// Opens into `out`; the record's length, or -1.
[[nodiscard]] int open_envelope_into(std::string_view envelope, std::string_view sid,
                                     const KeyRing& keys, std::string_view identity,
                                     std::span<unsigned char> out) noexcept;

// What sets of rules said of an opened session (oidc/rules.h): reading its tokens costs more than all
// else of a request. Errc::none: it may pass.
class Verdicts {
 public:
  [[nodiscard]] std::optional<Errc> find(std::uint64_t rules) const noexcept {
    for (const Verdict& verdict : kept_) {
      if (verdict.rules == rules) return verdict.said;
    }
    return std::nullopt;
  }
  void keep(std::uint64_t rules, Errc said) noexcept {
    kept_[next_] = {rules, said};
    next_ = (next_ + 1) % kept_.size();
  }

 private:
  struct Verdict {
    std::uint64_t rules = 0;  // 0: none
    Errc said = Errc::none;
  };
  std::array<Verdict, 8> kept_{};
  std::size_t next_ = 0;
};

class PreparedHeaders;

// Headers made of an opened session (oidc/prepared_headers.h), for each set of directives. Of the worker
// that opened it.
class Preparations {
 public:
  using Pointer = std::shared_ptr<const PreparedHeaders>;
  // nullptr: none yet.
  [[nodiscard]] Pointer find(std::uint64_t headers) const noexcept {
    for (const auto& [id, prepared] : kept_) {
      if (id == headers) return prepared;
    }
    return nullptr;
  }
  void keep(std::uint64_t headers, Pointer prepared, std::size_t bytes) noexcept {
    std::size_t place = 0;
    while (place < kept_.size() && kept_[place].first != headers) ++place;
    if (place == kept_.size()) {
      place = next_;
      next_ = (next_ + 1) % kept_.size();
    }
    bytes_ = bytes_ - sizes_[place] + bytes;
    sizes_[place] = bytes;
    kept_[place] = {headers, std::move(prepared)};
  }
  [[nodiscard]] std::size_t bytes() const noexcept { return bytes_; }

 private:
  std::array<std::pair<std::uint64_t, Pointer>, 4> kept_{};  // 0: none
  std::array<std::size_t, 4> sizes_{};
  std::size_t next_ = 0, bytes_ = 0;
};

// An opened session that owns its bytes.
class OpenSession {
 public:
  // Takes the plain record; Errc::session_record_invalid when it does not decode.
  [[nodiscard]] static Result<std::shared_ptr<const OpenSession>> make(SessionCookie cookie,
                                                                       StoreKey key,
                                                                       std::string generation,
                                                                       std::string bytes);
  OpenSession(const OpenSession&) = delete;
  OpenSession& operator=(const OpenSession&) = delete;
  ~OpenSession();

  [[nodiscard]] const SessionRecord& record() const noexcept { return record_; }
  [[nodiscard]] const SessionCookie& cookie() const noexcept { return cookie_; }
  [[nodiscard]] const StoreKey& key() const noexcept { return key_; }
  [[nodiscard]] const std::string& generation() const noexcept { return generation_; }
  // Of the worker that opened it.
  [[nodiscard]] Verdicts& verdicts() const noexcept { return verdicts_; }
  [[nodiscard]] Preparations& preparations() const noexcept { return preparations_; }

 private:
  OpenSession(SessionCookie cookie, StoreKey key, std::string generation, std::string bytes);

  SessionCookie cookie_;
  StoreKey key_;
  std::string generation_;
  std::string bytes_;
  SessionRecord record_;
  mutable Verdicts verdicts_;
  mutable Preparations preparations_;
};

// Errc::session_record_invalid when it does not open or decode.
[[nodiscard]] Result<std::shared_ptr<const OpenSession>> open_session(std::string_view envelope,
                                                                      const SessionCookie& cookie,
                                                                      const StoreKey& key,
                                                                      const KeyRing& keys,
                                                                      std::string_view identity);

// Milliseconds that the store may keep the record from now on; <= 0: the session has ended.
[[nodiscard]] Milliseconds store_ttl(Seconds absolute_end, Seconds idling_timeout, Seconds now);

}  // namespace oidc
