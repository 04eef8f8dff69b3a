// What the directives of one location say, checked and ready for use. Built once at configuration
// (src/conf), immutable afterwards; requests share it by pointer to const.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "oidc/cookie.h"
#include "oidc/identity_header.h"
#include "oidc/jose.h"
#include "oidc/json.h"
#include "oidc/jwe.h"
#include "oidc/secret.h"
#include "oidc/time.h"

namespace oidc {

class ClientKey;
class Rules;

// A directive's value that may hold variables of the web server. The glue compiles it once and
// evaluates it for each request through Evaluator.
struct Value {
  std::string text;
  const void* compiled = nullptr;  // the glue's; null: `text` is the value

  [[nodiscard]] bool empty() const { return text.empty(); }
};

class Evaluator {
 public:
  virtual ~Evaluator() = default;
  [[nodiscard]] virtual std::string evaluate(const Value& value) const = 0;
};

// A credential that was used; kept in records, so the numbers stay.
enum class Method : std::uint8_t {
  session = 1, authorization_code = 2, bearer = 3, introspection = 4, userinfo = 5,
  refresh_token = 6, password = 7, client_credentials = 8
};
enum class Unauthenticated : std::uint8_t { automatic, redirect, deny, pass };
enum class ResponseMode : std::uint8_t { query, form_post };
enum class Toggle : std::uint8_t { automatic, on, off };
enum class ClientAuth : std::uint8_t {
  client_secret_basic, client_secret_post, client_secret_jwt, private_key_jwt,
  tls_client_auth, self_signed_tls_client_auth, none
};
enum class LoginAction : std::uint8_t { redirect, upstream, response };
enum class LoginRedirectMode : std::uint8_t { fragment, query };
enum class StorageKind : std::uint8_t { shm, redis, cookie };
// oidc_logout_from: who may ask for a logout.
enum class LogoutFrom : std::uint8_t { same_origin, same_site, any };
// oidc_redis_sentinel_role
enum class SentinelRole : std::uint8_t { master, slave, any };
// oidc_session_request_headers, oidc_session_response_headers
enum class SessionFact : std::uint8_t {
  id, audience, subject, timeout, idling_timeout, rolling_timeout, absolute_timeout
};

// oidc_cookie_* of one kind of cookie, before the scheme is known.
struct CookieSettings {
  std::string name;  // without the __Host- or __Secure- prefix, unless `name_is_full`
  bool name_is_full = false;  // the configured name carries a prefix of its own
  std::string path = "/";
  std::string domain;
  bool http_only = true;
  std::optional<bool> secure;         // unset: by the scheme
  std::optional<SameSite> same_site;  // unset: the kind's own default

  // The cookie as it is on this scheme: __Host- on https where path and domain allow it, else
  // __Secure-; plain names on http alone.
  [[nodiscard]] CookieAttributes on(bool https, SameSite default_same_site) const;
};

struct ProviderSettings {
  std::string issuer;         // exactly as the provider writes it
  std::string discovery_url;
  bool discover = true;       // off: oidc_using_pseudo_issuer
  std::string authorization_endpoint, token_endpoint, end_session_endpoint, revocation_endpoint,
      introspection_endpoint, userinfo_endpoint, jwks_endpoint;  // overrides; empty: discovered
  std::vector<std::string> extra_jwks_uris;   // further key sets for access tokens
  Seconds cache_ttl = 3600;
  Seconds resurrect = 7 * 86400;  // oidc_cache_ttl_resurrect: how long an old document serves; 0: off
  Seconds rediscovery_lifetime = 30;
  // HTTP client
  std::int64_t timeout_ms = 10000;
  bool keepalive = true;
  bool ssl_verify = true;
  std::string ssl_trusted_certificate, ssl_crl;
  std::string client_certificate, client_certificate_key;  // oidc_tls_client_auth_*; empty: none
  std::string http_proxy, https_proxy;
  std::vector<std::string> no_proxy;

  friend bool operator==(const ProviderSettings&, const ProviderSettings&) = default;
};

// oidc_auth_methods: which credentials are looked for, and where.
struct CredentialSettings {
  bool session = true, authorization_code = true, bearer = false, introspection = false,
       userinfo = false, refresh_token = false, password = false, client_credentials = false;
  struct Places {
    bool header = true, query = false, body = false, cookie = false;
  };
  Places bearer_places;
  std::string bearer_cookie;  // its name
  std::string bearer_header;  // lower case; empty: authorization, access-token, x-access-token
  Places refresh_token_places, password_places, client_credentials_places;  // never a cookie
  std::string refresh_token_name;  // oidc_refresh_token_param_name; empty: the usual ones
  bool hide = true;           // oidc_hide_credentials
  std::string resource_metadata;  // oidc_resource_metadata, RFC 9728: its URL; empty: none
};

// What an access token must be, where it is a credential.
struct AccessTokenSettings {
  AlgSet algs;
  std::string typ;                   // oidc_access_token_typ; empty: any that is no other kind's
  std::vector<std::string> issuers;  // oidc_issuers_allowed; empty: the provider's own
  bool ignore_confirmation = false;  // a token with `cnf` passes without proof of possession
  std::size_t cache_size = 1024;     // verified ones kept by each worker; 0: none
  // oidc_jwt_session_cookie: its value is the token's claim; empty: not compared
  std::string session_cookie;
  std::optional<ClaimPath> session_claim;
  Seconds cache_max = 0;        // oidc_cache_ttl_max, of what is known of a token; 0: off
  Seconds cache_negative = 10;  // oidc_cache_ttl_neg, of a refusal; 0: none is kept
};

// oidc_introspection_*, RFC 7662
struct IntrospectionSettings {
  bool jwts = false;  // oidc_introspect_jwt_tokens
  std::string hint = "access_token";
  std::string accept = "application/json";
  bool check_active = true;
  bool cache = true;
  std::vector<std::pair<std::string, Value>> post_args;
};

// OpenID Connect Core section 5.3
struct UserinfoSettings {
  bool at_login = false;  // oidc_userinfo login
  bool missing = false;   // oidc_userinfo missing: at the login, when the tokens lack `wanted`
  std::vector<ClaimPath> wanted;  // what rules and headers of the location read
  Seconds refresh = 0;    // asked again when older; 0: never
  std::string accept = "application/json";
  bool cache = true;      // oidc_cache_user_info, where it is a credential's judge
};

struct ClientSettings {
  std::string id;
  Secret secret;
  std::optional<ClientAuth> auth;  // unset: by discovery
  std::optional<ClientAuth> token_auth, revocation_auth, introspection_auth;  // unset: `auth`
  std::shared_ptr<const ClientKey> key;  // oidc_client_jwk, the one that signs; null: none
  std::vector<std::shared_ptr<const ClientKey>> further_keys;  // published beside it: rotation
  std::vector<std::shared_ptr<const DecryptionKey>> decryption_keys;  // those with use: enc
  std::optional<Alg> alg;  // of assertions; unset: HS256, or the key's usual one
  std::string assertion_audience;  // a URL, or "token_endpoint"; empty: the issuer
};

// oidc_encryption_*, RFC 7516: of what the provider sends.
struct EncryptionSettings {
  JweAccepted accepted;
  // oidc_encryption_required: plain ones are refused.
  bool id_token = false, userinfo = false, introspection = false;
};

struct AuthorizationSettings {
  Value redirect_uri;  // a path, or an absolute URL
  std::string callback_path;  // the exact path of the callback on this server
  std::vector<std::string> scopes;
  std::vector<std::string> audience;
  ResponseMode response_mode = ResponseMode::query;
  Toggle pkce = Toggle::automatic;
  bool require_iss = false;
  std::vector<std::pair<std::string, Value>> query_args;
  std::vector<std::string> query_args_client;
  std::optional<Seconds> max_age;
  std::vector<std::string> acr_values;
  CookieSettings cookie;  // the name is a prefix: the pending login's id is appended
  Seconds rolling_timeout = 600;
  std::size_t max_pending = 5;
  bool preserve_query_args = true;
};

// oidc_login_tokens
struct LoginTokens {
  bool id_token = false, access_token = false, refresh_token = false, tokens = false;
  [[nodiscard]] bool any() const { return id_token || access_token || refresh_token || tokens; }
};

struct LoginSettings {
  LoginAction action = LoginAction::redirect;
  LoginTokens tokens;
  LoginRedirectMode redirect_mode = LoginRedirectMode::fragment;
  Value redirect_uri;  // empty: the URL that started the login
};

struct LogoutSettings {
  std::string uri_suffix;  // empty: off
  std::string query_arg;   // empty: off
  std::string post_arg;    // empty: off
  bool get = false, post = true, del = true;  // oidc_logout_methods
  LogoutFrom from = LogoutFrom::same_origin;
  Value redirect_uri;      // empty: none
  std::string post_logout_uri;  // path of ours where the provider sends the browser; empty: none
  bool revoke = false, revoke_access_token = true, revoke_refresh_token = true;
  std::string backchannel_uri, frontchannel_uri;  // paths of ours; empty: off
  bool backchannel_exp_required = true;
};

struct HostPort {
  std::string host;
  std::uint16_t port = 0;
  friend bool operator==(const HostPort&, const HostPort&) = default;
};

struct RedisSettings {
  std::string host = "127.0.0.1";
  std::uint16_t port = 6379;
  std::string socket;
  std::string prefix;
  unsigned database = 0;
  std::string username;
  Secret password;
  bool ssl = false, ssl_verify = true;
  std::string ssl_trusted_certificate, ssl_certificate, ssl_certificate_key, server_name;
  std::int64_t connect_timeout_ms = 2000, send_timeout_ms = 2000, read_timeout_ms = 2000;
  std::size_t connections = 2;  // oidc_redis_keepalive_pool_size
  std::vector<HostPort> cluster_nodes;  // empty: no cluster
  unsigned cluster_max_redirections = 5;
  std::vector<HostPort> sentinel_nodes;  // empty: no Sentinel
  std::string sentinel_master;
  SentinelRole sentinel_role = SentinelRole::master;
  std::string sentinel_username;
  Secret sentinel_password;
};

// oidc_session_remember: a second, persistent cookie that makes sessions.
struct RememberSettings {
  bool on = false;
  CookieSettings cookie;
  Seconds rolling_timeout = 604800;    // 0: off
  Seconds absolute_timeout = 2592000;  // 0: off
};

// oidc_session_bind: what of the request is mixed into the session cookie's MAC.
struct BindSettings {
  bool ip = false, scheme = false, user_agent = false;
  [[nodiscard]] bool any() const { return ip || scheme || user_agent; }
};

struct SessionSettings {
  StorageKind storage = StorageKind::shm;
  std::string zone = "oidc";
  // Of sessions in cookies: what all parts may take, and where logouts are remembered.
  std::size_t cookie_size = 6 * 1024;
  bool deny_in_redis = false;   // else in `zone`, which is this machine's
  std::vector<Secret> secrets;  // the first seals, all open; empty: made at start (shm alone)
  CookieSettings cookie;
  Seconds absolute_timeout = 86400;  // 0: off
  Seconds idling_timeout = 900;      // 0: off
  Seconds rolling_timeout = 3600;    // 0: off; life of one sid until it is renewed
  RememberSettings remember;
  BindSettings bind;
  bool store_metadata = true;   // the index by subject and the provider's sid
  bool hash_subject = true;     // in the index
  std::size_t max_per_subject = 0;  // 0: off
  std::vector<SessionFact> request_headers, response_headers;
  std::size_t cache_size = 16 * 1024 * 1024;  // bytes of each worker; 0: off
  Seconds cache_max_age = 60;
  Seconds outage_cached = 0;    // oidc_session_outage cached=T; 0: deny
  std::string audience = "default";
  RedisSettings redis;
};

struct TokenSettings {
  Seconds leeway = 60;
  AlgSet id_token_algs;
  std::vector<std::string> id_token_audiences;  // accepted besides the client_id
  bool hs_signatures = false;
  bool reverify = false;  // oidc_reverify: the session's ID token, at each request
  bool refresh = true;
  Seconds refresh_before = 60;
  // oidc_token_post_arg*, oidc_token_header*: what requests to the token endpoint carry besides.
  std::vector<std::pair<std::string, Value>> post_args, headers;
  std::vector<std::string> post_args_client, headers_client;  // copied from the client's request
  std::vector<std::string> headers_replay;  // of the answer, for the client; lower case
};

// What refusals look like, and what they do besides.
struct ErrorSettings {
  // Where browsers are sent instead: a path of our own or a URL; empty: nowhere.
  std::string unauthorized_redirect_uri, forbidden_redirect_uri, unexpected_redirect_uri;
  std::string unauthorized_message = "Unauthorized", forbidden_message = "Forbidden";
  bool unauthorized_destroy_session = false, forbidden_destroy_session = false;
  bool display = false;     // oidc_display_errors: the reason's sentence is in the body
  bool expose_code = true;  // oidc_expose_error_code: RFC 6750 section 3.1's `error`
};

struct Settings {
  Unauthenticated unauthenticated = Unauthenticated::automatic;
  std::string base_url;  // scheme://host[:port], or empty: the request's own
  std::vector<std::string> server_names;  // literal ones, lower case, for the check of $host
  ProviderSettings provider;
  ClientSettings client;
  EncryptionSettings encryption;
  AuthorizationSettings authorization;
  LoginSettings login;
  LogoutSettings logout;
  SessionSettings session;
  TokenSettings token;
  CredentialSettings credentials;
  AccessTokenSettings access_token;
  IntrospectionSettings introspection;
  UserinfoSettings userinfo;
  std::shared_ptr<const Rules> rules;  // who may pass; null: whoever is known
  ErrorSettings errors;
  bool run_on_preflight = true;  // off: a CORS preflight passes without an identity
  HeaderSettings headers;
  bool navigation_iframe = false;  // oidc_navigation_dest document iframe

  // Which sessions, pending logins and states belong here: a hash of issuer, client_id and session
  // audience. In every MAC and every AEAD's additional data.
  std::string identity;  // 32 raw bytes
  // Which of several Settings of one identity a login began under: a hash of the directives' words.
  std::string fingerprint;  // 32 raw bytes

  // Milliseconds that a login or a refresh of any location of this identity may be under way: the
  // glue knows all of them. 0: as this one's.
  std::int64_t longest_flight_ms = 0;

  // Interned by the glue: equal values have equal numbers, in one configuration.
  std::size_t provider_index = 0;
  std::size_t store_index = 0;
  std::size_t keys_index = 0;  // by SessionSettings::secrets
  std::size_t index = 0;
};

}  // namespace oidc
