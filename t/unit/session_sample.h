// Keys, a cookie and a record for the tests of sessions.
#pragma once

#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

#include "oidc/key_ring.h"
#include "oidc/session.h"
#include "sample_settings.h"

namespace oidc::test {

inline constexpr Seconds kNow = 1'700'000'000;

[[nodiscard]] inline KeyRing key_ring(std::initializer_list<std::string_view> secrets) {
  std::vector<Secret> list;
  for (const std::string_view secret : secrets) list.emplace_back(secret);
  return KeyRing(list);
}

inline constexpr std::string_view kSecret = "a session secret that is long enough";
inline constexpr std::string_view kNewSecret = "another session secret, of next year";
inline constexpr std::string_view kCookieName = "__Host-session";

[[nodiscard]] inline std::string identity(std::string_view of = "this") {
  return sha256_text(of);
}

[[nodiscard]] inline SessionRecord sample_record() {
  SessionRecord record;
  record.method = static_cast<std::uint8_t>(Method::authorization_code);
  record.created = kNow;
  record.absolute_end = kNow + 86400;
  record.access_expires = kNow + 300;
  record.tokens_since = kNow;
  record.auth_time = kNow - 5;
  record.sid_since = kNow;
  record.subject = "alice";
  record.provider_sid = "provider-session";
  record.scope = "openid profile";
  record.access_token = "the-access-token";
  record.refresh_token = "the-refresh-token";
  record.id_token = "header.payload.signature";
  record.nonce = "the-nonce";
  record.acr = "gold";
  record.answer_jwt = "the.signed.answer";
  record.jwk = R"({"kty":"EC"})";
  return record;
}

// Each text that differs from `text` in exactly one bit.
template <class Use>
void for_each_bit_flip(const std::string& text, Use use) {
  for (std::size_t at = 0; at < text.size(); ++at) {
    for (int bit = 0; bit < 8; ++bit) {
      std::string flipped = text;
      flipped[at] = static_cast<char>(flipped[at] ^ (1 << bit));
      use(flipped, at);
    }
  }
}

}  // namespace oidc::test
