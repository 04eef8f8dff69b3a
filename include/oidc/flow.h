// What flows see and what they answer. A flow never sees the web server's request, never finalizes
// and never runs phases: it returns an Outcome, and the glue acts on it.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "oidc/io.h"
#include "oidc/key_ring.h"
#include "oidc/session.h"
#include "oidc/settings.h"
#include "oidc/task.h"

namespace oidc {

// A request as flows know it: copies, made when the first cold path needs them.
struct RequestFacts {
  std::string method;
  bool https = false;
  std::string host;        // $host: lower case, without port
  std::string host_port;   // ":8000" when the Host header names a port, else empty
  std::string target;      // the request target in origin-form, as the client sent it
  std::string path;        // decoded and normalised
  std::string query;       // raw, without '?'
  std::vector<std::string> cookie_headers;
  // Headers; empty when absent.
  std::string accept, content_type, origin, referer, sec_fetch_mode, sec_fetch_dest, sec_fetch_site,
      sec_purpose, x_requested_with, upgrade;
  std::vector<std::string> authorization;  // each Authorization header
  // Each further header whose name these settings look at: name, in lower case, and value.
  std::vector<std::pair<std::string, std::string>> token_headers;
  std::shared_ptr<const Secret> body;  // null unless it may hold a credential
  std::string remote_addr;  // the client's, as the web server sees it (behind realip: the real one)
  std::string user_agent;
  std::string request_id;
  const Evaluator* evaluator = nullptr;  // lives as long as the request
};
using Facts = std::shared_ptr<const RequestFacts>;

struct Outcome {
  enum class Kind : std::uint8_t {
    pass,     // grant; with the session's identity, or without one (oidc_unauthenticated pass)
    answer,   // `status`, `headers`, `body`: a redirect, a page, tokens
    deny,     // refuse with `reason`'s status
    reroute,  // oidc_login_action upstream: go on as a GET of `target`, granted by `session`
  };
  Kind kind = Kind::deny;
  int status = 500;
  Errc reason = Errc::none;
  std::string detail;  // for the log
  std::string body;
  std::string content_type;
  std::vector<std::pair<std::string, std::string>> headers;
  std::vector<std::string> set_cookies;
  std::shared_ptr<const OpenSession> session;
  std::string target;
  const Settings* settings = nullptr;  // whose outcome this is: the callback may have several owners
};

// Events of tasks that nobody waits for, and outcomes' own: implemented by the glue, which adds the
// request or the worker to the line. The detail never holds a secret.
class EventLog {
 public:
  virtual ~EventLog() = default;
  virtual void write(LogLevel level, Errc reason, std::string_view detail) = 0;
};

class CookieStore;
class Provider;
class Refreshes;
class SessionCache;
class TouchThrottle;
class TokenCache;

// What a worker offers to the flows of one Settings. Lives until the worker exits.
struct Services {
  const Settings& settings;
  Loop& loop;
  HttpClient& http;
  SessionStore& store;
  Ledger& ledger;  // of the store
  SharedMemory& shared;
  SharedMemory& used_states;  // apart: who floods it with logins takes no room from the others
  Provider& provider;
  const KeyRing& keys;
  Refreshes& refreshes;
  TouchThrottle& touches;
  EventLog& log;
  SessionCache* cache = nullptr;  // of the store; null: oidc_session_cache off
  TokenCache* tokens = nullptr;   // verified access tokens; null: none are accepted, or no cache
  CookieStore* in_cookies = nullptr;  // `store`, where sessions live in cookies
};

// ---- the request's own addresses ---------------------------------------------------------------

// scheme://host[:port] that browsers use for us: oidc_base_url, or the request's own.
[[nodiscard]] std::string own_origin(const Settings& settings, const RequestFacts& facts);
[[nodiscard]] bool own_origin_is_https(const Settings& settings, const RequestFacts& facts);
// Without oidc_base_url the host must be one of the server's literal names (Errc::misdirected).
[[nodiscard]] Result<void> check_host(const Settings& settings, const RequestFacts& facts);
// The absolute redirect_uri of this request.
[[nodiscard]] std::string redirect_uri(const Settings& settings, const RequestFacts& facts);

[[nodiscard]] CookieAttributes session_cookie_attributes(const Settings& settings, bool https);
// `login_id` is appended to the name.
[[nodiscard]] CookieAttributes login_cookie_attributes(const Settings& settings, bool https,
                                                       std::string_view login_id);

// ---- judging the request -----------------------------------------------------------------------

// A top-level navigation that may be answered with a redirect to the provider.
[[nodiscard]] bool is_navigation(const Settings& settings, const RequestFacts& facts);
// Who made this request: a page of our own origin or the user's own hand, somebody else (a prefetch
// too), or nobody says.
enum class Initiator : std::uint8_t { ours, foreign, unknown };
[[nodiscard]] Initiator initiator(const Settings& settings, const RequestFacts& facts);
[[nodiscard]] bool is_logout_request(const Settings& settings, const RequestFacts& facts);

// ---- sessions ----------------------------------------------------------------------------------

// What session cookies are sealed for: the identity, and with oidc_session_bind the request's own
// address, scheme and browser. No allocation without oidc_session_bind.
class CookieIdentity {
 public:
  CookieIdentity(const Settings& settings, std::string_view remote_addr, bool https,
                 std::string_view user_agent);
  CookieIdentity(const Settings& settings, const RequestFacts& facts)
      : CookieIdentity(settings, facts.remote_addr, facts.https, facts.user_agent) {}
  CookieIdentity(const CookieIdentity&) = delete;
  CookieIdentity& operator=(const CookieIdentity&) = delete;
  [[nodiscard]] std::string_view view() const noexcept {
    return bound_.empty() ? std::string_view(settings_.identity) : std::string_view(bound_);
  }

 private:
  const Settings& settings_;
  std::string bound_;
};

struct CookieLookup {
  bool conflict = false;  // two that verify, with different sids: neither is used
  bool invalid = false;   // one came that does not verify
  std::optional<SessionCookie> cookie;
};
// Walks the Cookie headers for the session cookie of these settings. No allocation.
class SessionCookieFinder {
 public:
  SessionCookieFinder(const KeyRing& keys, std::string_view name, std::string_view identity,
                      Seconds now) noexcept
      : keys_(keys), name_(name), identity_(identity), now_(now) {}
  void look_at(std::string_view cookie_header);
  [[nodiscard]] const CookieLookup& result() const noexcept { return result_; }

 private:
  const KeyRing& keys_;
  std::string_view name_, identity_;
  Seconds now_;
  CookieLookup result_;
};

// Whether the session's time is over: its absolute end, or its sid's (oidc_session_rolling_timeout).
[[nodiscard]] bool has_ended(const SessionRecord& record, const Settings& settings, Seconds now);
// Whether the sid is old enough for a new one. Not where it has one already.
[[nodiscard]] bool is_renewal_due(const SessionRecord& record, const Settings& settings,
                                  Seconds now);
// Milliseconds that the store may keep the record from now on; <= 0: the session has ended.
[[nodiscard]] Milliseconds record_ttl(const SessionRecord& record, const SessionSettings& settings,
                                      Seconds now);
// Whether the login behind the record is as strong and as young as these settings want it
// (oidc_acr_values, oidc_max_age). Of an access token: the login that it was issued for.
[[nodiscard]] bool is_strong_enough(const SessionRecord& record, const Settings& settings,
                                    Seconds now);
// Whether the record may be used at `now` by these settings at all (its time, method, strength).
[[nodiscard]] bool is_alive(const SessionRecord& record, const Settings& settings, Seconds now);
// Whether the access token should be refreshed before the request goes on.
[[nodiscard]] bool is_refresh_due(const SessionRecord& record, const Settings& settings,
                                  Seconds now);
// Whether a session's userinfo is older than oidc_userinfo's refresh.
[[nodiscard]] bool is_userinfo_due(const SessionRecord& record, const Settings& settings,
                                   Seconds now);
// Whether the access token can no longer be sent to anyone.
[[nodiscard]] bool is_access_token_expired(const SessionRecord& record, Seconds now);

struct SessionLookup {
  enum class Kind : std::uint8_t { none, found, error };
  Kind kind = Kind::none;
  // found: the session. none: one that opens but will not do here, which a logout ends all the same.
  std::shared_ptr<const OpenSession> session;
  Error why;  // none: why there is no session; error: what the store said
  bool outage = false;  // found without the store: oidc_session_outage
  bool reissue = false;  // found in cookies that want to be written anew
};
[[nodiscard]] Task<SessionLookup> find_session(Services& services, Facts facts);

// Extends the idle deadline in the store, at most once a minute for one session.
void touch_session(Services& services, const OpenSession& session);

// ---- flows -------------------------------------------------------------------------------------

// The access phase of a protected location.
[[nodiscard]] Task<Outcome> access_flow(Services& services, Facts facts);

// A location with `oidc on` whose callback the request hit.
using Owners = std::vector<Services*>;
// The callback, matched server-wide. `body` is read for a POST.
[[nodiscard]] Task<Outcome> callback_flow(Owners owners, Facts facts, BodyReader& body);

}  // namespace oidc
