// A login in flight: one sealed cookie for each, and the return target sealed inside `state`, so
// that a tab whose cookie was evicted still gets home.
#pragma once

#include <string>
#include <string_view>

#include "oidc/key_ring.h"
#include "oidc/result.h"
#include "oidc/time.h"

namespace oidc {

// The id is the cookie name's suffix: eight hex digits of the time, eight random characters, so
// that age shows without opening.
[[nodiscard]] std::string make_login_id(Seconds now);
// The time in an id; 0 when it is none.
[[nodiscard]] Seconds login_id_time(std::string_view id) noexcept;

struct PendingLogin {
  Seconds created = 0;
  std::string nonce;
  std::string code_verifier;  // empty: no PKCE
  std::string state_hash;     // SHA-256 of the state, raw
  std::string redirect_uri;   // as sent
  std::string replaces;       // StoreKey of the session that this login replaces; empty: none
  bool prompt_none = false;
  std::uint8_t restarts = 0;
};

// `cookie_name` is the whole name with prefix and id; it is authenticated with the content.
[[nodiscard]] std::string seal_pending_login(const PendingLogin& login, const KeyRing& keys,
                                             std::string_view cookie_name,
                                             std::string_view identity);
[[nodiscard]] std::optional<PendingLogin> open_pending_login(std::string_view value,
                                                             const KeyRing& keys,
                                                             std::string_view cookie_name,
                                                             std::string_view identity);

// A logout at the provider whose browser is expected back at oidc_post_logout_uri.
struct PendingLogout {
  Seconds created = 0;
  std::string state;     // as sent
  std::string settings;  // which of several Settings of one identity began it
};
[[nodiscard]] std::string seal_pending_logout(const PendingLogout& logout, const KeyRing& keys,
                                              std::string_view cookie_name,
                                              std::string_view identity);
[[nodiscard]] std::optional<PendingLogout> open_pending_logout(std::string_view value,
                                                               const KeyRing& keys,
                                                               std::string_view cookie_name,
                                                               std::string_view identity);

struct LoginState {
  std::string login_id;
  Seconds created = 0;
  std::uint8_t restarts = 0;
  std::string settings;  // which of several Settings of one identity began it
  std::string target;    // origin-form
};

inline constexpr std::size_t kMaxTargetBytes = 1024;  // inside state, after deflating

// Deflates the target where that helps. nullopt when it does not fit.
[[nodiscard]] std::optional<std::string> seal_state(const LoginState& state, const KeyRing& keys,
                                                    std::string_view identity);
[[nodiscard]] std::optional<LoginState> open_state(std::string_view value, const KeyRing& keys,
                                                   std::string_view identity);

}  // namespace oidc
