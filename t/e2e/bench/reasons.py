"""Reason codes and the HTTP status that belongs to each: what the tests expect.

Kept by hand beside include/oidc/errc.h, so that a change there is noticed here
(test_reasons.py compares the two).
"""

STATUS = {
    "unauthenticated": 401, "subrequest_denied": 403, "misdirected": 421, "cookie_conflict": 401,
    # the callback's own input
    "callback_method": 405, "callback_body_type": 415, "callback_body_too_large": 413,
    "parameter_duplicated": 400, "parameter_missing": 400, "parameter_malformed": 400,
    "response_mode_mismatch": 400, "redirect_uri_mismatch": 400,
    "state_missing": 400, "state_invalid": 400, "state_expired": 400, "state_mismatch": 400,
    "state_replayed": 400, "login_cookie_missing": 400, "iss_mismatch": 400, "iss_missing": 400,
    "login_loop": 400,
    # the provider's own refusals
    "access_denied": 403, "login_required": 401, "provider_unavailable": 503,
    "provider_error": 502,
    # talking to the provider
    "provider_unreachable": 503, "provider_timeout": 504, "provider_tls": 502,
    "provider_status": 502, "provider_overloaded": 503, "provider_answer_invalid": 502,
    "provider_answer_too_large": 502, "provider_answer_truncated": 502,
    "discovery_unavailable": 503, "discovery_invalid": 502, "discovery_issuer_mismatch": 502,
    "jwks_invalid": 502, "keys_unavailable": 503, "pkce_unsupported": 502,
    # the token endpoint
    "token_request_rejected": 400, "token_client_rejected": 502, "token_type_unsupported": 502,
    "access_token_missing": 502, "id_token_missing": 502,
    # JOSE and the ID token
    "jwt_malformed": 502, "jwt_alg_none": 502, "jwt_alg_not_allowed": 502, "jwt_crit": 502,
    "jwt_key_unknown": 502, "jwt_key_mismatch": 502, "jwt_signature": 502, "jwt_typ": 502,
    "jwe_malformed": 502, "jwe_not_allowed": 502, "jwe_decryption": 502, "jwe_missing": 502,
    "id_token_iss": 502, "id_token_sub": 502, "id_token_aud": 502, "id_token_azp": 502,
    "id_token_exp": 502, "id_token_nbf": 502, "id_token_iat": 502, "id_token_nonce": 502,
    "id_token_at_hash": 502, "id_token_c_hash": 502, "id_token_auth_time": 403,
    "id_token_acr": 403,
    "userinfo_invalid": 502, "userinfo_sub": 502,
    # sessions
    "session_invalid": 401, "session_expired": 401, "session_record_invalid": 401,
    "store_unavailable": 503, "store_full": 503, "session_logged_out": 401,
    "session_too_large": 500,
    # refresh and logout
    "refresh_rejected": 401, "refresh_failed": 503, "refresh_unsaved": 503,
    "logout_cross_site": 403, "logout_state_invalid": 400, "revocation_failed": 502,
    "logout_token_invalid": 400, "logout_token_replayed": 400, "admin_request_invalid": 400,
    # access tokens as credentials
    "credential_malformed": 400, "credential_conflict": 400, "access_token_kind": 401,
    "access_token_iss": 401, "access_token_aud": 401, "access_token_exp": 401,
    "access_token_nbf": 401, "access_token_iat": 401, "access_token_bound": 401,
    "credential_rejected": 401, "credential_throttled": 429, "headers_too_large": 500,
    "access_token_session": 401, "token_inactive": 401, "introspection_invalid": 502,
    # who may pass
    "insufficient_user_authentication": 401, "scope_insufficient": 403, "claims_elsewhere": 403,
    "forbidden": 403,
}
