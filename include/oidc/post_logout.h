// The parts of a logout that begin outside a location's access: the provider's answer, and a body
// that may ask for it.
#pragma once

#include "oidc/flow.h"

namespace oidc {

inline constexpr Seconds kPendingLogoutLife = 600;
inline constexpr std::size_t kMaxLogoutBody = 64 * 1024;

// oidc_post_logout_uri, matched server-wide: the provider sends the browser back.
[[nodiscard]] Task<Outcome> post_logout_flow(Owners owners, Facts facts);

// Like access_flow, for a body that may hold oidc_logout_post_arg or a credential.
[[nodiscard]] Task<Outcome> access_flow_with_form(Services& services, Facts facts,
                                                  BodyReader& body);

// The cookie of a PendingLogout; named as pending logins are, so it reaches no upstream.
[[nodiscard]] inline CookieAttributes pending_logout_cookie(const Settings& settings, bool https) {
  return login_cookie_attributes(settings, https, "logout");
}

}  // namespace oidc
