// Every way in which something can go wrong, with the one sentence, the HTTP status and the log
// level that belong to it. The short code is what operators grep for; it never changes its meaning.
#pragma once

#include <cstdint>
#include <string_view>

namespace oidc {

// X(name, http status, log level, sentence). The name is the reason code in the log.
// Browser faults are info or warn; faults of the provider or a store are error.
#define OIDC_ERRC_TABLE(X)                                                                        \
  /* general */                                                                                   \
  X(none, 0, info, "no error")                                                                    \
  X(internal, 500, error, "the module failed unexpectedly")                                       \
  X(invalid_configuration, 500, error, "the configuration is not usable")                         \
  X(malformed, 400, info, "the input is malformed")                                               \
  X(too_large, 400, info, "the input is larger than allowed")                                     \
  /* requests */                                                                                  \
  X(unauthenticated, 401, info, "the request carries no usable credential")                       \
  X(subrequest_denied, 403, warn, "a subrequest reached a location its request was not granted")  \
  X(misdirected, 421, warn, "the Host of the request is none of the server's names")              \
  X(cookie_conflict, 401, warn, "two valid cookies of one name carry different sessions")         \
  /* the callback's own input */                                                                  \
  X(callback_method, 405, info, "the callback takes GET and POST only")                           \
  X(callback_body_type, 415, info, "the callback takes a urlencoded body only")                   \
  X(callback_body_too_large, 413, info, "the callback's body is larger than allowed")             \
  X(parameter_duplicated, 400, warn, "a protocol parameter came more than once")                  \
  X(parameter_missing, 400, info, "a protocol parameter is missing")                              \
  X(parameter_malformed, 400, info, "a protocol parameter is malformed")                          \
  X(response_mode_mismatch, 400, warn, "the answer came by another response mode than asked for") \
  X(redirect_uri_mismatch, 400, warn, "the answer arrived at another URI than the login named")   \
  X(state_missing, 400, info, "the answer carries no state")                                      \
  X(state_invalid, 400, warn, "the state was not made by this gateway")                           \
  X(state_expired, 400, info, "the login took longer than allowed")                               \
  X(state_mismatch, 400, warn, "the state does not belong to the pending login of this browser")  \
  X(state_replayed, 400, warn, "the state was used before")                                       \
  X(login_cookie_missing, 400, info, "the browser sent no cookie for this pending login")         \
  X(iss_mismatch, 400, warn, "the answer names another issuer (RFC 9207)")                        \
  X(iss_missing, 400, warn, "the answer names no issuer although the provider announces it")      \
  X(login_loop, 400, warn, "the login was restarted and failed again")                            \
  /* the provider's own refusals */                                                               \
  X(access_denied, 403, info, "the user or the provider denied access")                           \
  X(login_required, 401, info, "the provider wants the user to interact")                         \
  X(provider_unavailable, 503, error, "the provider says that it is unavailable for now")         \
  X(provider_error, 502, error, "the provider answered the login with an error")                  \
  /* talking to the provider */                                                                   \
  X(provider_unreachable, 503, error, "the provider cannot be reached")                           \
  X(provider_timeout, 504, error, "the provider did not answer in time")                          \
  X(provider_tls, 502, error, "TLS with the provider failed")                                     \
  X(provider_status, 502, error, "the provider answered with an unexpected status")               \
  X(provider_overloaded, 503, error, "the provider answered with a server error")                 \
  X(provider_answer_invalid, 502, error, "the provider's answer is not valid")                    \
  X(provider_answer_too_large, 502, error, "the provider's answer is larger than allowed")        \
  X(provider_answer_truncated, 502, error, "the provider's answer ended early")                   \
  X(discovery_unavailable, 503, error, "the provider's discovery document is not there yet")      \
  X(discovery_invalid, 502, error, "the provider's discovery document is not valid")              \
  X(discovery_issuer_mismatch, 502, error, "the discovery document names another issuer")         \
  X(jwks_invalid, 502, error, "the provider's key set is not valid")                              \
  X(keys_unavailable, 503, warn, "the token's key is unknown and newer keys cannot be had now")   \
  X(pkce_unsupported, 502, error, "the provider does not offer PKCE with S256")                   \
  /* the token endpoint */                                                                        \
  X(token_request_rejected, 400, warn, "the token endpoint refused the grant")                    \
  X(token_client_rejected, 502, error, "the token endpoint refused this client")                  \
  X(token_type_unsupported, 502, error, "the token endpoint answered with an unknown token type") \
  X(access_token_missing, 502, error, "the token endpoint answered without an access token")      \
  X(id_token_missing, 502, error, "the token endpoint answered without an ID token")              \
  /* JOSE */                                                                                      \
  X(jwt_malformed, 502, error, "the token is not a well-formed JWT")                              \
  X(jwt_alg_none, 502, error, "the token is not signed")                                          \
  X(jwt_alg_not_allowed, 502, error, "the token's algorithm is not accepted")                     \
  X(jwt_crit, 502, error, "the token has a critical header that is not understood")               \
  X(jwt_key_unknown, 502, error, "the token's key is not in the key set")                         \
  X(jwt_key_mismatch, 502, error, "the token's key does not fit its algorithm")                   \
  X(jwt_signature, 502, error, "the token's signature is wrong")                                  \
  X(jwe_malformed, 502, error, "the token is not a well-formed JWE")                              \
  X(jwe_not_allowed, 502, error, "the token's encryption is not accepted")                        \
  X(jwe_decryption, 502, error, "the token cannot be decrypted")                                  \
  X(jwe_missing, 502, error, "the token is not encrypted although it must be")                    \
  X(jwt_typ, 502, error, "the token is of another type than expected")                            \
  /* ID token (OpenID Connect Core 3.1.3.7) */                                                    \
  X(id_token_iss, 502, error, "the ID token's issuer is another one")                             \
  X(id_token_sub, 502, error, "the ID token's subject is missing or another one")                 \
  X(id_token_aud, 502, error, "the ID token is for another audience")                             \
  X(id_token_azp, 502, error, "the ID token was issued to another client")                        \
  X(id_token_exp, 502, error, "the ID token is expired or has no expiry")                         \
  X(id_token_nbf, 502, error, "the ID token is not valid yet")                                    \
  X(id_token_iat, 502, error, "the ID token's time of issue is missing or in the future")         \
  X(id_token_nonce, 502, error, "the ID token's nonce is missing or another one")                 \
  X(id_token_at_hash, 502, error, "the ID token does not belong to the access token")             \
  X(id_token_c_hash, 502, error, "the ID token does not belong to the code")                      \
  X(id_token_auth_time, 403, warn, "the login is older than max_age allows")                      \
  X(id_token_acr, 403, warn, "the login is weaker than acr_values asks for")                      \
  /* userinfo (OpenID Connect Core 5.3) */                                                        \
  X(userinfo_invalid, 502, error, "the answer of the userinfo endpoint is not valid")             \
  X(userinfo_sub, 502, error, "the answer of the userinfo endpoint is about another subject")     \
  /* sessions */                                                                                  \
  X(session_invalid, 401, info, "the session cookie does not verify")                             \
  X(session_expired, 401, info, "the session has ended")                                          \
  X(session_record_invalid, 401, warn, "the stored session does not open")                        \
  X(store_unavailable, 503, error, "the session store cannot be reached")                         \
  X(store_full, 503, error, "the session store has no room")                                      \
  X(session_logged_out, 401, info, "the session was logged out while it was being made")          \
  X(session_too_large, 500, error, "the session does not fit into cookies")                       \
  /* refresh and logout */                                                                        \
  X(refresh_rejected, 401, info, "the provider refused the refresh token")                        \
  X(refresh_failed, 503, error, "the access token is expired and could not be refreshed")         \
  X(refresh_unsaved, 503, error, "refreshed tokens could not be stored yet")                      \
  X(logout_cross_site, 403, warn, "another site asked for this logout")                           \
  X(logout_state_invalid, 400, info, "the answer belongs to no logout of this browser")           \
  X(revocation_failed, 502, warn, "the provider did not revoke a token")                          \
  X(logout_token_invalid, 400, warn, "the logout token is not valid")                             \
  X(logout_token_replayed, 400, warn, "the logout token was used before")                         \
  X(admin_request_invalid, 400, info, "the administration does not understand the request")       \
  /* access tokens as credentials (RFC 6750, RFC 9068, RFC 7662) */                               \
  X(credential_malformed, 400, info, "the credential is malformed")                               \
  X(credential_conflict, 400, info, "the request carries more than one access token")             \
  X(access_token_kind, 401, info, "the token is no access token")                                 \
  X(access_token_iss, 401, info, "the access token's issuer is another one")                      \
  X(access_token_aud, 401, info, "the access token is for another audience")                      \
  X(access_token_exp, 401, info, "the access token is expired or has no expiry")                  \
  X(access_token_nbf, 401, info, "the access token is not valid yet")                             \
  X(access_token_iat, 401, info, "the access token's time of issue is wrong")                     \
  X(access_token_bound, 401, info, "the access token wants a proof of possession")                \
  X(access_token_session, 401, info, "the access token belongs to another session of the browser") \
  X(token_inactive, 401, info, "the provider says that the token is not active")                  \
  X(credential_rejected, 401, info, "the provider refused the credentials")                       \
  X(credential_throttled, 429, warn, "the credentials were wrong too often")                      \
  X(introspection_invalid, 502, error, "the answer of the introspection endpoint is not valid")   \
  /* who may pass */                                                                              \
  X(headers_too_large, 500, error, "the headers that say who the user is are larger than allowed") \
  X(insufficient_user_authentication, 401, info, "the login is too weak or too old for here")     \
  X(scope_insufficient, 403, info, "the token's scopes are not enough here")                      \
  X(claims_elsewhere, 403, warn, "a claim that a rule wants was left out by the provider")         \
  X(forbidden, 403, info, "the claims do not meet the rules of this location")

enum class LogLevel : std::uint8_t { error, warn, notice, info };

enum class Errc : std::uint8_t {
#define OIDC_X(name, status, level, sentence) name,
  OIDC_ERRC_TABLE(OIDC_X)
#undef OIDC_X
};

struct ErrcInfo {
  std::string_view code;      // the reason code, e.g. "state_mismatch"
  std::string_view sentence;  // for people
  std::uint16_t status;       // HTTP status of the answer
  LogLevel level;
};

[[nodiscard]] const ErrcInfo& info(Errc code) noexcept;

}  // namespace oidc
