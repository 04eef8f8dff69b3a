// Sessions that live in cookies, as flows find and write them. Each of these does what is right for
// the other stores as well.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "oidc/cookie_store.h"
#include "steps.h"

namespace oidc {

// Appends the Set-Cookies of a session: the session's own, and its parts where it lives in them, with
// the deletion of parts that it no longer has. False, after a line in the log: it does not fit, and
// nothing was appended.
[[nodiscard]] bool append_session_cookies(Services& services, const RequestFacts& facts,
                                          const OpenSession& session,
                                          std::vector<std::string>& set_cookies);
// Appends their deletion: the parts that the request carries.
void append_session_deletion(const Services& services, const RequestFacts& facts,
                             std::vector<std::string>& set_cookies);
// session_too_large, with the sizes and what helps, where the session lives in cookies and does not
// fit into them.
[[nodiscard]] Result<void> check_fits(const Services& services, const OpenSession& session);

// The stored session of one that is known, or of what it has become; as read_session.
[[nodiscard]] Task<SessionLookup> read_known_session(Services& services,
                                                     std::shared_ptr<const OpenSession> known);

// As read_session, of a cookie that came with this request, and with its parts where the session lives
// in them. `reissue` says that the answer should carry those anew.
[[nodiscard]] Task<SessionLookup> read_sent_session(Services& services, Facts facts,
                                                    SessionCookie cookie);

}  // namespace oidc
