// The sealed cookies of a login and of a logout in flight.
#include <string>

#include "oidc/pending_login.h"
#include "require.h"
#include "sealed.h"

using oidc::fuzz::identity;
using oidc::fuzz::keys;
using oidc::fuzz::kLoginCookieName;
using oidc::fuzz::require;

namespace {

bool opens(std::string_view value) {
  const auto login = oidc::open_pending_login(value, keys(), kLoginCookieName, identity());
  const auto logout = oidc::open_pending_logout(value, keys(), kLoginCookieName, identity());
  require(!login || !logout, "a cookie has one purpose");
  require(!oidc::open_pending_login(value, keys(), "__Host-login_x", identity()), "one name");
  require(!oidc::open_pending_login(value, keys(), kLoginCookieName, identity(true)), "one tenant");
  require(!oidc::open_pending_logout(value, keys(), "__Host-login_x", identity()), "one name");
  require(!oidc::open_pending_logout(value, keys(), kLoginCookieName, identity(true)),
          "one tenant");
  if (login) {
    const std::string again =
        oidc::seal_pending_login(*login, keys(), kLoginCookieName, identity());
    const auto opened = oidc::open_pending_login(again, keys(), kLoginCookieName, identity());
    require(opened && opened->nonce == login->nonce && opened->created == login->created &&
                opened->state_hash == login->state_hash && opened->replaces == login->replaces,
            "it comes back");
  }
  return login.has_value() || logout.has_value();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes = oidc::fuzz::text_of(data, size);
  static_cast<void>(opens(bytes));
  static_cast<void>(oidc::login_id_time(bytes));
  // What we sealed ourselves, with a content that we never write.
  const std::string_view key = keys().sealing().login_key();
  static_cast<void>(opens(oidc::fuzz::seal_bytes(key, "pending login", kLoginCookieName, bytes)));
  static_cast<void>(opens(oidc::fuzz::seal_bytes(key, "pending logout", kLoginCookieName, bytes)));
  require(!opens(oidc::fuzz::seal_bytes(key, "state", kLoginCookieName, bytes)), "a state is none");
  return 0;
}
