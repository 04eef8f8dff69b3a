// The keys that oidc_session_secret stands for. Extracted once at configuration (or worker start);
// each use costs one expansion, that is one prepared HMAC.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "oidc/crypto.h"
#include "oidc/secret.h"

namespace oidc {

using KeyId = std::array<char, 4>;

// All keys derived from one secret.
class SessionKeys {
 public:
  // Each purpose has keys of its own.
  enum class Purpose : std::uint8_t { session, remember };
  explicit SessionKeys(const Secret& secret, Purpose purpose = Purpose::session);

  [[nodiscard]] std::string_view id() const noexcept { return {id_.data(), id_.size()}; }
  [[nodiscard]] const HmacKey& cookie_mac() const noexcept { return cookie_mac_; }
  [[nodiscard]] std::string_view login_key() const noexcept { return login_.view(); }
  [[nodiscard]] std::string_view state_key() const noexcept { return state_.view(); }
  // The AES-256 key of one session's record: HKDF-Expand over the sid.
  [[nodiscard]] Sha256 record_key(std::string_view sid) const;

 private:
  struct FromPrk {};
  SessionKeys(FromPrk tag, const Secret& prk);
  KeyId id_;
  HmacKey expand_;
  HmacKey cookie_mac_;
  Secret login_;
  Secret state_;
};

class VerifiedCookies;

// The first key seals, all of them open: rotation in three steps without losing a session.
class KeyRing {
 public:
  explicit KeyRing(const std::vector<Secret>& secrets);
  KeyRing(KeyRing&&) noexcept;
  KeyRing& operator=(KeyRing&&) noexcept;
  ~KeyRing();
  // The same secrets' keys for remember cookies and their records.
  [[nodiscard]] const KeyRing& remember() const noexcept { return *remember_; }
  [[nodiscard]] const SessionKeys& sealing() const noexcept { return keys_.front(); }
  // nullptr when no key has this id.
  [[nodiscard]] const SessionKeys* find(std::string_view id) const noexcept;
  // What was verified by these keys; no part of what they are.
  [[nodiscard]] VerifiedCookies& verified() const noexcept { return *verified_; }

 private:
  KeyRing(const std::vector<Secret>& secrets, SessionKeys::Purpose purpose);
  std::vector<SessionKeys> keys_;
  std::unique_ptr<VerifiedCookies> verified_;
  std::unique_ptr<const KeyRing> remember_;  // null in that one itself
};

}  // namespace oidc
