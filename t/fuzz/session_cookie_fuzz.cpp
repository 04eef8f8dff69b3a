// The values of the session cookie and of the remember cookie.
#include <string>

#include "oidc/session.h"
#include "require.h"
#include "sealed.h"

using oidc::fuzz::identity;
using oidc::fuzz::kCookieName;
using oidc::fuzz::keys;
using oidc::fuzz::require;

namespace {

// Twice of the same purpose, once of the other one, and of other names, tenants and secrets.
void check(std::string_view value, const oidc::KeyRing& ring, const oidc::KeyRing& other) {
  const auto cookie = oidc::open_session_cookie(value, ring, kCookieName, identity(), 0);
  if (!cookie) return;
  require(oidc::seal_session_cookie(*cookie, ring, kCookieName, identity()) == value,
          "a cookie has one spelling");
  require(!oidc::open_session_cookie(value, other, kCookieName, identity(), 0), "and one purpose");
  require(!oidc::open_session_cookie(value, ring, "session", identity(), 0), "one name");
  require(!oidc::open_session_cookie(value, ring, kCookieName, identity(true), 0), "one tenant");
  const auto later =
      oidc::open_session_cookie(value, ring, kCookieName, identity(), cookie->absolute_end);
  require(later.has_value() == (cookie->absolute_end == 0), "and an end");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view value = oidc::fuzz::text_of(data, size);
  check(value, keys(), keys().remember());
  check(value, keys().remember(), keys());
  require(!oidc::open_session_cookie(value, oidc::fuzz::other_keys(), kCookieName, identity(), 0),
          "nothing here is of another secret");
  // A cookie of ours for each input, and all that is not it.
  oidc::SessionCookie ours;
  value.copy(ours.sid.data(), ours.sid.size());
  std::string sealed = oidc::seal_session_cookie(ours, keys(), kCookieName, identity());
  require(oidc::open_session_cookie(sealed, keys(), kCookieName, identity(), 0).has_value(),
          "what was sealed opens");
  const std::size_t at = size % sealed.size();
  const char was = sealed[at];
  sealed[at] = size > 16 ? static_cast<char>(data[16]) : '=';
  if (sealed[at] == was) sealed.pop_back();
  require(!oidc::open_session_cookie(sealed, keys(), kCookieName, identity(), 0), "and no other");
  return 0;
}
