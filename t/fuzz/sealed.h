// The keys that the seeds of the corpus were sealed with, and sealing of what is no valid content:
// so a target gets behind the authentication, to what reads the plaintext.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "oidc/base64url.h"
#include "oidc/crypto.h"
#include "oidc/key_ring.h"

namespace oidc::fuzz {

inline constexpr std::string_view kCookieName = "__Host-session";
inline constexpr std::string_view kLoginCookieName = "__Host-login_6553f100abcdefgh";

inline KeyRing ring_of(std::string_view secret) {
  std::vector<Secret> secrets;
  secrets.emplace_back(secret);
  return KeyRing(secrets);
}

inline const KeyRing& keys() {
  static const KeyRing ring = ring_of("a session secret that is long enough");
  return ring;
}

inline const KeyRing& other_keys() {
  static const KeyRing ring = ring_of("another session secret, of next year");
  return ring;
}

inline const std::string& identity(bool other = false) {
  static const std::string ours(as_view(sha256("this")));
  static const std::string theirs(as_view(sha256("other")));
  return other ? theirs : ours;
}

// As the sealed cookies and states are: key id, AEAD, base64url.
inline std::string seal_bytes(std::string_view key, std::string_view purpose, std::string_view name,
                              std::string_view plaintext) {
  std::string additional;
  append_field(additional, purpose);
  append_field(additional, name);
  append_field(additional, identity());
  std::string bytes(keys().sealing().id());
  bytes.append(aead_seal(key, additional, plaintext));
  return base64url_encode(bytes);
}

}  // namespace oidc::fuzz
