// oidc_session_remember: a second, persistent cookie whose record makes sessions. How its copy of the
// tokens stays true is in docs/design.md.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "oidc/flow.h"
#include "session_index.h"

namespace oidc {

// What the request's remember cookie says, without asking the store.
[[nodiscard]] std::optional<SessionCookie> remember_cookie_of(Services& services,
                                                              const RequestFacts& facts);
[[nodiscard]] std::string remember_set_cookie(Services& services, const RequestFacts& facts,
                                              const SessionCookie& cookie);
[[nodiscard]] CookieAttributes remember_cookie_attributes(const Settings& settings, bool https);

// A remember cookie for a session that begins; its record is written by remember_login.
[[nodiscard]] SessionCookie make_remember_cookie(Services& services);
// Before a session is stored: a session whose remember_sid names nothing would never be refreshed.
// False: nothing is remembered. The record's views live as long as the caller waits.
[[nodiscard]] Task<bool> remember_login(Services& services, SessionRecord session, SessionCookie of,
                                        SessionCookie cookie, Seconds began);

// The index's sets of a remember cookie's record; empty: it says nothing any more.
[[nodiscard]] Task<Membership> remembered_membership(Services& services, SessionCookie cookie);
// The record of a remember cookie that the browser had before, or of one that it never got.
[[nodiscard]] Task<void> forget_remembered(Services& services, SessionCookie cookie);

struct Remembered {
  SessionLookup::Kind kind = SessionLookup::Kind::none;
  std::shared_ptr<const OpenSession> session;
  std::optional<SessionCookie> cookie;  // the new remember cookie; none: another request has it
  Error why;
};
// The session that the request's remember cookie makes. One request makes it; others that come with
// the same cookie get the same session.
[[nodiscard]] Task<Remembered> remembered_session(Services& services, Facts facts);

// Before a session's refresh token is sent: no copy of it stays. gone: the session that the cookie
// made meanwhile has the token; this one must not use it.
enum class Withheld : std::uint8_t { done, gone, unknown };
[[nodiscard]] Task<Withheld> withhold_tokens(Services& services,
                                             std::shared_ptr<const OpenSession> session);
// After new tokens were stored with the session: the copy is those.
[[nodiscard]] Task<void> remember_tokens(Services& services,
                                         std::shared_ptr<const OpenSession> session);

}  // namespace oidc
