// The steps that the flows share. Each is a coroutine over the interfaces of oidc/io.h.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "oidc/client_auth.h"
#include "oidc/flow.h"
#include "oidc/id_token.h"
#include "oidc/pending_login.h"
#include "oidc/provider.h"
#include "oidc/refreshes.h"
#include "oidc/token_endpoint.h"
#include "token_extras.h"

namespace oidc {

// ---- sessions ----------------------------------------------------------------------------------

// What the request's cookies say, without asking the store.
[[nodiscard]] CookieLookup session_cookie_of(Services& services, const RequestFacts& facts);
// Set-Cookie of a session's cookie.
[[nodiscard]] std::string session_set_cookie(Services& services, const RequestFacts& facts,
                                             const SessionCookie& cookie);
// The stored session of a sid, or of the one that renewed it; found: whether or not it will do here.
[[nodiscard]] Task<SessionLookup> read_session(Services& services, SessionCookie cookie);
// The cookie of record.next_sid.
[[nodiscard]] SessionCookie successor_of(const SessionRecord& record);

// Gives the session a new sid when this request is the one to do it: `session` is the session as it
// is now, with `renewed` under the new sid, whose cookie the answer must carry. Whatever fails, the
// request goes on with the old one; null: the session has ended meanwhile.
struct Renewal {
  bool renewed = false;
  std::shared_ptr<const OpenSession> session;
};
[[nodiscard]] Task<Renewal> renew_session(Services& services,
                                          std::shared_ptr<const OpenSession> session);

// Erases records, and what renewed them meanwhile: a session's end ends all its sids. Fails with
// store_unavailable; to be tried again then.
[[nodiscard]] Task<Result<void>> erase_sessions(Services& services, std::vector<StoreKey> keys);
// The session, by all keys of it; they leave the index.
[[nodiscard]] Task<Result<void>> erase_session(Services& services,
                                               std::shared_ptr<const OpenSession> session);
// All keys under which this session may be found.
[[nodiscard]] std::vector<StoreKey> keys_of(const OpenSession& session);

// ---- login -------------------------------------------------------------------------------------

struct LoginStart {
  std::string target;  // origin-form, where the browser goes afterwards
  std::uint8_t restarts = 0;
};

// A short name of the settings inside a state: locations of one identity may share a callback.
[[nodiscard]] inline std::string settings_name(const Settings& settings) {
  return settings.fingerprint.substr(0, 8);
}

// The redirect to the provider, with the pending login's cookie.
[[nodiscard]] Task<Outcome> start_login(Services& services, Facts facts, LoginStart start);

// ---- tokens ------------------------------------------------------------------------------------

// What an ID token must say besides issuer, client and times; owned, because it crosses awaits.
struct IdTokenDemand {
  std::string client_id;  // whom it is for; empty: this client
  std::string nonce;
  bool nonce_required = true;
  std::string access_token;
  std::string code;
  bool check_authentication = false;  // max_age and acr_values, as asked for at the login
  std::string subject;                // at a refresh
  Seconds auth_time = 0;
};

// The signature of a token by the provider, with the algorithms of ID tokens. Unverified tokens of
// one kind cannot use up the fetches of the key set that another kind may need. A logout token with
// an unknown key while the provider is not to be asked again: keys_unavailable.
[[nodiscard]] Task<Result<void>> verify_provider_signature(Services& services,
                                                           std::shared_ptr<const Jwt> jwt,
                                                           KeyBudget budget);

// Signature and claims; the key set is fetched anew once when the key is unknown or does not verify.
[[nodiscard]] Task<Result<IdTokenFacts>> verify_id_token(Services& services, std::string id_token,
                                                         IdTokenDemand demand);

struct UserinfoText {
  std::string json;
  std::string jwt;  // as it was signed, if it was and somebody wants it (HeaderSettings::keep_jwt)
};
// The answer of the userinfo endpoint; about `subject` alone (userinfo_sub).
[[nodiscard]] Task<Result<UserinfoText>> userinfo_of_login(Services& services,
                                                           std::string access_token,
                                                           std::string subject);

// The same of a session that is there already: token_inactive where the provider wants the token no
// more.
[[nodiscard]] Task<Result<UserinfoText>> userinfo_of_session(Services& services,
                                                             std::string access_token,
                                                             std::string subject);

// oidc_reverify: what the session's ID token says is still signed by the provider's present keys, and
// meant for this client. Its times were judged when it came.
[[nodiscard]] Task<Result<void>> reverify_session(Services& services,
                                                  std::shared_ptr<const OpenSession> session);

// When the access token ends: expires_in, else a JWT's own exp (unverified, only ever used to
// refresh), else 0 for unknown.
[[nodiscard]] Seconds access_expiry(const TokenResponse& tokens);

// A finished login: the session is in the store.
struct Login {
  std::shared_ptr<const OpenSession> session;
  std::optional<SessionCookie> remember;  // oidc_session_remember: its cookie
  TokenResponse tokens;
};

struct CodeExchange {
  std::string code;
  PendingLogin pending;
  std::string present;  // StoreKey of the session that came with the answer; empty: none
  Facts facts;          // of the request that brought the answer
  std::optional<SessionCookie> remembered;  // the remember cookie that came with it
  TokenExtras extras = {};  // of the request to the token endpoint; exchange_code() fills them
};

// StoreKey of the session that the request's cookie names, alive or not; empty: none.
[[nodiscard]] std::string present_session_key(Services& services, const RequestFacts& facts);

// Redeems the code, verifies, stores. Runs to its end in the worker once the code was sent, also
// when the browser has left.
[[nodiscard]] Task<Result<std::shared_ptr<const Login>>> exchange_code(Services& services,
                                                                       CodeExchange exchange);

// The answer to a finished login, with the session's cookie. `target` as in LoginStart.
[[nodiscard]] Outcome logged_in(Services& services, const RequestFacts& facts,
                                const std::string& target, const Login& login);

// ---- refresh -----------------------------------------------------------------------------------

// One refresh for all concurrent requests of this worker.
[[nodiscard]] Task<RefreshResult> refresh_session(Services& services,
                                                  std::shared_ptr<const OpenSession> session,
                                                  TokenExtras extras);

// ---- logout ------------------------------------------------------------------------------------

[[nodiscard]] Task<Outcome> logout_flow(Services& services, Facts facts);

}  // namespace oidc
