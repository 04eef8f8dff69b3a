"""All 234 top-level parameters of Kong's openid-connect plugin (3.15), and what each becomes here."""

from .values import (
    Line,
    NoEqual,
    Parameter,
    beside,
    choice,
    chosen,
    first,
    flag,
    header_list,
    header_pairs,
    listed,
    milliseconds,
    no,
    number,
    pairs,
    path,
    seconds,
    secret,
    session_secret,
    switch,
    text,
    words,
)

LATER = "not built yet"
CONSUMERS = "nginx has no consumers: send the claims as headers (oidc_upstream_header)"
ALWAYS = "always so"


def _auth_methods(value, _) -> list[Line]:
    there = ["session", "bearer", "introspection", "refresh_token", "password",
             "client_credentials", "authorization_code"]
    left = [method for method in listed(value) if method not in (*there, "userinfo")]
    chosen_ones = [method for method in there if method in listed(value)]
    if not chosen_ones:
        raise NoEqual(f"only {', '.join(there)} are here")
    remarks = [f"without {', '.join(left)}: {LATER}"] if left else []
    if "userinfo" in listed(value):
        remarks.append("without userinfo, which would take a token of any client: it wants "
                       "oidc_audience_required any")
    return [Line("oidc_auth_methods", chosen_ones, "; ".join(remarks))]


def _logs_in(config) -> bool:
    methods = listed(config.get("auth_methods"))
    return not methods or "authorization_code" in methods


def _userinfo(config) -> list[Line]:
    if not _logs_in(config):
        raise NoEqual("userinfo is asked at logins, and without authorization_code there is none")
    if config.get("search_user_info") and not config.get("upstream_user_info_header"):
        return [Line("oidc_userinfo", ["missing"])]
    return [Line("oidc_userinfo", ["login"], "asked at each login")]


_USER_INFO_HEADERS = [f"{direction}_user_info{form}_header" for direction in ("upstream", "downstream")
                      for form in ("", "_jwt")]


def _user_info_header(name: str) -> Parameter:
    def convert(value, config):
        line = Line(f"oidc_{name}", [str(value)])
        asks = config.get("search_user_info") or any(
            config.get(other) for other in _USER_INFO_HEADERS[:_USER_INFO_HEADERS.index(name)])
        return [line] if asks else [*_userinfo(config), line]
    return Parameter(convert, (f"oidc_{name}",))


def _introspection_header(name: str) -> Parameter:
    def convert(value, config):
        if "introspection" not in listed(config.get("auth_methods")):
            raise NoEqual("nobody asks for it: introspection is not in auth_methods")
        return [Line(f"oidc_{name}", [str(value)])]
    return Parameter(convert, (f"oidc_{name}",))


def _life(name: str, most: int) -> Parameter:
    """A time that has an end here, and 0 for off."""
    def convert(value, _):
        wanted = int(float(value))
        remarks = [f"{wanted} s in Kong; {most} s are the most here"] if wanted > most else []
        return [Line(name, [f"{min(wanted, most)}s" if wanted > 0 else "off"], *remarks)]
    return Parameter(convert, (name,))


def _storage(value, _) -> list[Line]:
    if value in ("memcache", "memcached"):
        raise NoEqual("no memcached: `oidc_session_storage redis` or `shm`")
    return [Line("oidc_session_storage", [str(value)])]


def _scopes_required(name: str):
    # One entry of Kong's list is one argument: its words are all needed, the entries alternatives.
    return Parameter(lambda value, _: [Line(name, [str(item) for item in listed(value)])], (name,),
                     null=[Line(name, ["off"])])


def _rolling(name: str) -> Parameter:
    return Parameter(lambda value, _: [Line(name, [f"{int(value)}s" if value else "0"])], (name,))


_REDIS = {
    "host": text("oidc_redis_host"),
    "port": number("oidc_redis_port"),
    "socket": text("oidc_redis_socket"),
    "prefix": text("oidc_redis_prefix"),
    "database": number("oidc_redis_database"),
    "username": text("oidc_redis_username"),
    "password": text("oidc_redis_password"),
    "ssl": flag("oidc_redis_ssl"),
    "ssl_verify": flag("oidc_redis_ssl_verify"),
    "server_name": text("oidc_redis_server_name"),
    "connect_timeout": milliseconds("oidc_redis_connect_timeout"),
    "read_timeout": milliseconds("oidc_redis_read_timeout"),
    "send_timeout": milliseconds("oidc_redis_send_timeout"),
    "keepalive_pool_size": no("connections are shared here, not borrowed: two for each worker, or "
                              "oidc_redis_keepalive_pool_size"),
    "keepalive_backlog": no("requests wait in the pipeline of the connections"),
    "connection_is_proxied": no("nothing depends on it"),
    "cluster_nodes": Parameter(
        lambda value, _: [Line("oidc_redis_cluster_nodes",
                               [f"{n.get('ip', '127.0.0.1')}:{n.get('port', 6379)}" for n in value])],
        ("oidc_redis_cluster_nodes",)),
    "cluster_max_redirections": number("oidc_redis_cluster_max_redirections"),
    "sentinel_nodes": Parameter(
        lambda value, _: [Line("oidc_redis_sentinel_nodes",
                               [f"{n.get('host', '127.0.0.1')}:{n.get('port', 6379)}" for n in value])],
        ("oidc_redis_sentinel_nodes",)),
    "sentinel_master": text("oidc_redis_sentinel_master"),
    "sentinel_role": choice("oidc_redis_sentinel_role", master="master"),
    "sentinel_username": text("oidc_redis_sentinel_username"),
    "sentinel_password": text("oidc_redis_sentinel_password"),
    "cloud_authentication": no("no tokens of AWS, Azure or Google: a password or a certificate"),
}


def _redis(value, config) -> list[Line]:
    if config.get("session_storage") != "redis":
        return []
    lines = []
    for name, one in (value or {}).items():
        if one is None:
            continue
        parameter = _REDIS.get(name)
        if parameter is None or parameter.convert is None:
            reason = parameter.reason if parameter else "unknown"
            lines.append(Line("", [], f"redis.{name}: {reason}"))
            continue
        try:
            lines += parameter.convert(one, value)
        except NoEqual as unequal:
            lines.append(Line("", [], f"redis.{name}: {unequal}"))
    return lines


_LOGIN_TOKENS = {"id_token", "access_token", "refresh_token", "tokens"}
_SAME_SITE = {"Strict": "strict", "Lax": "lax", "None": "none", "Default": "default"}
_AUTH = ("client_secret_basic", "client_secret_post", "client_secret_jwt", "private_key_jwt",
         "tls_client_auth", "self_signed_tls_client_auth", "none")


def _auth_method(name: str) -> Parameter:
    return first(name, "auto") if name == "oidc_client_auth" else choice(
        name, **{method: method for method in _AUTH})


def _client_jwk(value, _) -> list[Line]:
    if not listed(value):
        return []
    raise NoEqual("write the private key into a file and name it: oidc_client_jwk FILE")


def _proxy(name: str, authorization: str) -> Parameter:
    def convert(value, config):
        if config.get(authorization):
            raise NoEqual("with credentials: write them into the URL, http://USER:PASSWORD@HOST:PORT")
        return [Line(name, [secret(value)])]
    return Parameter(convert, (name,))


PARAMETERS: dict[str, Parameter] = {
    # Methods
    "auth_methods": Parameter(_auth_methods, ("oidc_auth_methods",)),
    "anonymous": Parameter(
        lambda value, _: [Line("oidc_unauthenticated", ["pass"],
                               "whoever has no credential passes, without identity headers")],
        ("oidc_unauthenticated",)),
    "hide_credentials": flag("oidc_hide_credentials"),
    "disable_session": no("only the authorization code flow makes sessions here"),
    # Where credentials are
    "bearer_token_param_type": chosen("oidc_bearer_token_param_type",
                                      {"header", "query", "body", "cookie"}, "header"),
    "bearer_token_cookie_name": text("oidc_bearer_token_cookie_name"),
    "bearer_token_header_name": text("oidc_bearer_token_header_name"),
    **{f"{method}_param_type": chosen(f"oidc_{method}_param_type", {"header", "query", "body"},
                                      "header")
       for method in ("client_credentials", "password", "refresh_token")},
    "refresh_token_param_name": text("oidc_refresh_token_param_name"),
    **{name: no(LATER) for name in ("id_token_param_type", "id_token_param_name")},
    # Client
    "client_id": first("oidc_client_id"),
    "client_secret": first("oidc_client_secret"),
    "client_arg": no("one client in a location: others need locations of their own"),
    "client_auth": _auth_method("oidc_client_auth"),
    "client_alg": first("oidc_client_alg"),
    "client_jwk": Parameter(_client_jwk, ("oidc_client_jwk",)),
    "tls_client_auth_cert_id": no("a file: oidc_tls_client_auth_certificate FILE and its _key"),
    "tls_client_auth_ssl_verify": no("oidc_ssl_verify holds for all connections"),
    # Discovery and endpoints
    "issuer": text("oidc_issuer", ""),
    "using_pseudo_issuer": flag("oidc_using_pseudo_issuer"),
    "rediscovery_lifetime": seconds("oidc_rediscovery_lifetime"),
    "discovery_headers_names": no(LATER),
    "discovery_headers_values": no(LATER),
    "extra_jwks_uris": words("oidc_extra_jwks_uris"),
    "jwks_endpoint": text("oidc_jwks_endpoint"),
    "authorization_endpoint": text("oidc_authorization_endpoint"),
    "token_endpoint": text("oidc_token_endpoint"),
    "introspection_endpoint": text("oidc_introspection_endpoint"),
    "revocation_endpoint": text("oidc_revocation_endpoint"),
    "end_session_endpoint": text("oidc_end_session_endpoint"),
    "userinfo_endpoint": text("oidc_userinfo_endpoint"),
    "pushed_authorization_request_endpoint": no(LATER),
    **{f"mtls_{endpoint}_endpoint": no(f"an oidc_{endpoint}_endpoint that is configured is used as "
                                       "it is; else the provider's mtls_endpoint_aliases")
       for endpoint in ("token", "introspection", "revocation")},
    "token_exchange_endpoint": no(LATER),
    **{f"{endpoint}_endpoint_auth_method": _auth_method(f"oidc_{endpoint}_endpoint_auth_method")
       for endpoint in ("token", "introspection", "revocation")},
    "pushed_authorization_request_endpoint_auth_method": no(LATER),
    # Authorization request
    "redirect_uri": first("oidc_redirect_uri", ""),
    "scopes": words("oidc_scopes", "openid"),
    "audience": words("oidc_audience"),
    "response_mode": choice("oidc_response_mode", query="query", form_post="form_post"),
    "response_type": no("always `code`"),
    "authorization_query_args_names": pairs("oidc_authorization_query_arg",
                                            "authorization_query_args_values"),
    "authorization_query_args_values": beside("authorization_query_args_names"),
    "authorization_query_args_client": words("oidc_authorization_query_args_client"),
    "preserve_query_args": flag("oidc_preserve_query_args"),
    "require_proof_key_for_code_exchange": switch("oidc_require_proof_key_for_code_exchange"),
    "require_pushed_authorization_requests": no(LATER),
    "require_signed_request_object": no(LATER),
    "authorization_cookie_name": text("oidc_authorization_cookie_name", ""),
    "authorization_cookie_path": text("oidc_authorization_cookie_path", ""),
    "authorization_cookie_domain": text("oidc_authorization_cookie_domain"),
    "authorization_cookie_same_site": choice("oidc_authorization_cookie_same_site", **_SAME_SITE),
    "authorization_cookie_http_only": flag("oidc_authorization_cookie_http_only"),
    "authorization_cookie_secure": switch("oidc_authorization_cookie_secure"),
    "authorization_rolling_timeout": seconds("oidc_authorization_rolling_timeout"),
    # Token endpoint
    "token_headers_names": pairs("oidc_token_header", "token_headers_values"),
    "token_headers_values": beside("token_headers_names"),
    "token_headers_client": words("oidc_token_headers_client"),
    "token_post_args_names": pairs("oidc_token_post_arg", "token_post_args_values"),
    "token_post_args_values": beside("token_post_args_names"),
    "token_post_args_client": words("oidc_token_post_args_client"),
    "token_headers_replay": words("oidc_token_headers_replay"),
    "token_headers_prefix": no("under the provider's own names"),
    "token_headers_grants": no("with all grants"),
    "refresh_tokens": flag("oidc_refresh_tokens"),
    # Introspection
    "introspect_jwt_tokens": flag("oidc_introspect_jwt_tokens"),
    "introspection_hint": text("oidc_introspection_hint"),
    "introspection_accept": choice("oidc_introspection_accept",
                                   **{"application/json": "application/json",
                                      "application/token-introspection+jwt":
                                          "application/token-introspection+jwt"}),
    "introspection_check_active": flag("oidc_introspection_check_active"),
    "introspection_token_param_name": no("always `token` (RFC 7662)"),
    "introspection_post_args_names": pairs("oidc_introspection_post_arg",
                                           "introspection_post_args_values"),
    "introspection_post_args_values": beside("introspection_post_args_names"),
    **{name: no(LATER) for name in (
        "introspection_headers_names", "introspection_headers_values",
        "introspection_headers_client", "introspection_post_args_client",
        "introspection_post_args_client_headers")},
    "revocation_token_param_name": no("always `token` (RFC 7009)"),
    # Userinfo
    "search_user_info": Parameter(
        lambda value, config: _userinfo(config) if value else [], ("oidc_userinfo",)),
    "userinfo_accept": choice("oidc_userinfo_accept", **{"application/json": "application/json",
                                                         "application/jwt": "application/jwt"}),
    **{name: no(LATER) for name in (
        "userinfo_headers_names", "userinfo_headers_values", "userinfo_headers_client",
        "userinfo_query_args_names", "userinfo_query_args_values", "userinfo_query_args_client")},
    "token_exchange": no(LATER),
    # Verification
    "verify_claims": no(ALWAYS),
    "verify_nonce": no(ALWAYS),
    "verify_signature": no(ALWAYS),
    "verify_parameters": no("what the configuration says wins over discovery"),
    "ignore_signature": no("signatures are always verified"),
    "enable_hs_signatures": flag("oidc_enable_hs_signatures"),
    "issuers_allowed": words("oidc_issuers_allowed"),
    "leeway": seconds("oidc_leeway"),
    "max_age": seconds("oidc_max_age", "off"),
    "domains": words("oidc_domains"),
    "jwt_session_cookie": text("oidc_jwt_session_cookie"),
    "jwt_session_claim": text("oidc_jwt_session_claim", ""),
    "reverify": flag("oidc_reverify"),
    "resolve_distributed_claims": no("recognised, and named in the log; nobody goes there"),
    # Proof of possession
    **{name: no(LATER) for name in (
        "proof_of_possession_mtls", "proof_of_possession_mtls_from_header",
        "proof_of_possession_dpop", "proof_of_possession_auth_methods_validation",
        "dpop_use_nonce", "dpop_proof_lifetime")},
    # Rules
    "scopes_claim": path("oidc_scopes_claim"),
    "audience_claim": path("oidc_audience_claim"),
    "groups_claim": path("oidc_groups_claim"),
    "roles_claim": path("oidc_roles_claim"),
    "scopes_required": _scopes_required("oidc_scopes_required"),
    "audience_required": _scopes_required("oidc_audience_required"),
    "groups_required": _scopes_required("oidc_groups_required"),
    "roles_required": _scopes_required("oidc_roles_required"),
    "claims_forbidden": words("oidc_claims_forbidden"),
    "authenticated_groups_claim": no("no ACL plugin: oidc_groups_required, or the claim as a header"),
    # Consumers
    **{name: no(CONSUMERS) for name in (
        "consumer_claims", "consumer_by", "by_username_ignore_case", "consumer_optional",
        "consumer_groups_claim", "consumer_groups_optional", "principals")},
    "credential_claim": no("$oidc_sub and $oidc_claim_NAME are keys for limit_req_zone"),
    # Headers
    **{f"{direction}_{item}_header": text(f"oidc_{direction}_{item}_header")
       for direction in ("upstream", "downstream") for item in (
           "access_token", "access_token_jwk", "id_token", "id_token_jwk", "refresh_token",
           "session_id")},
    **{name: _user_info_header(name) for name in _USER_INFO_HEADERS},
    **{f"{direction}_introspection{form}_header":
       _introspection_header(f"{direction}_introspection{form}_header")
       for direction in ("upstream", "downstream") for form in ("", "_jwt")},
    "upstream_headers": header_list("oidc_upstream_header"),
    "upstream_headers_claims": header_pairs("oidc_upstream_header", "upstream_headers_names"),
    "upstream_headers_names": beside("upstream_headers_claims"),
    "downstream_headers": header_list("oidc_downstream_header"),
    "downstream_headers_claims": header_pairs("oidc_downstream_header", "downstream_headers_names"),
    "downstream_headers_names": beside("downstream_headers_claims"),
    # Login and logout
    "login_methods": chosen("oidc_login_methods", {"authorization_code"}),
    "login_action": choice("oidc_login_action", redirect="redirect", upstream="upstream",
                           response="response"),
    "login_tokens": chosen("oidc_login_tokens", _LOGIN_TOKENS),
    "login_redirect_mode": choice("oidc_login_redirect_mode", fragment="fragment", query="query"),
    "login_redirect_uri": first("oidc_login_redirect_uri"),
    "logout_uri_suffix": text("oidc_logout_uri_suffix"),
    "logout_query_arg": text("oidc_logout_query_arg"),
    "logout_post_arg": text("oidc_logout_post_arg"),
    "logout_methods": words("oidc_logout_methods", "POST"),
    "logout_redirect_uri": first("oidc_logout_redirect_uri"),
    "logout_revoke": flag("oidc_logout_revoke"),
    "logout_revoke_access_token": flag("oidc_logout_revoke_access_token"),
    "logout_revoke_refresh_token": flag("oidc_logout_revoke_refresh_token"),
    # Errors
    "unauthorized_redirect_uri": first("oidc_unauthorized_redirect_uri"),
    "forbidden_redirect_uri": first("oidc_forbidden_redirect_uri"),
    "unexpected_redirect_uri": first("oidc_unexpected_redirect_uri"),
    "unauthorized_error_message": text("oidc_unauthorized_error_message", ""),
    "forbidden_error_message": text("oidc_forbidden_error_message", ""),
    "unauthorized_destroy_session": flag("oidc_unauthorized_destroy_session"),
    "forbidden_destroy_session": flag("oidc_forbidden_destroy_session"),
    "display_errors": flag("oidc_display_errors"),
    "expose_error_code": flag("oidc_expose_error_code"),
    "run_on_preflight": flag("oidc_run_on_preflight"),
    # Session
    "session_secret": Parameter(session_secret, ("oidc_session_secret",)),
    "session_audience": text("oidc_session_audience", ""),
    "session_storage": Parameter(_storage, ("oidc_session_storage",)),
    "session_cookie_name": text("oidc_session_cookie_name", ""),
    "session_cookie_path": text("oidc_session_cookie_path", ""),
    "session_cookie_domain": text("oidc_session_cookie_domain"),
    "session_cookie_same_site": choice("oidc_session_cookie_same_site", **_SAME_SITE),
    "session_cookie_http_only": flag("oidc_session_cookie_http_only"),
    "session_cookie_secure": switch("oidc_session_cookie_secure"),
    "session_rolling_timeout": _rolling("oidc_session_rolling_timeout"),
    "session_idling_timeout": _rolling("oidc_session_idling_timeout"),
    "session_absolute_timeout": _rolling("oidc_session_absolute_timeout"),
    "session_remember": flag("oidc_session_remember"),
    "session_remember_cookie_name": text("oidc_session_remember_cookie_name", ""),
    "session_remember_rolling_timeout": _rolling("oidc_session_remember_rolling_timeout"),
    "session_remember_absolute_timeout": _rolling("oidc_session_remember_absolute_timeout"),
    "session_bind": words("oidc_session_bind"),
    "session_store_metadata": flag("oidc_session_store_metadata"),
    "session_enforce_same_subject": no(ALWAYS),
    "session_hash_subject": flag("oidc_session_hash_subject"),
    "session_hash_storage_key": no(ALWAYS),
    "session_request_headers": words("oidc_session_request_headers"),
    "session_response_headers": words("oidc_session_response_headers"),
    **{f"session_memcached_{name}": no("no memcached") for name in (
        "host", "port", "socket", "prefix", "ssl", "ssl_verify")},
    "redis": Parameter(_redis, tuple(name for parameter in _REDIS.values()
                                     for name in parameter.directives)),
    # Caches
    "cache_ttl": seconds("oidc_cache_ttl"),
    "cache_ttl_max": seconds("oidc_cache_ttl_max"),
    "cache_ttl_min": seconds("oidc_cache_ttl_min"),
    "cache_ttl_neg": _life("oidc_cache_ttl_neg", 10),
    "cache_ttl_resurrect": _life("oidc_cache_ttl_resurrect", 7 * 86400),
    "cache_tokens": flag("oidc_cache_tokens"),
    "cache_introspection": flag("oidc_cache_introspection"),
    "cache_token_exchange": no(LATER),
    "cache_user_info": flag("oidc_cache_user_info"),
    "cache_tokens_salt": no("keys of caches are random in each process"),
    "token_cache_key_include_scope": no(LATER),
    "cluster_cache_strategy": no("caches belong to a machine; sessions are shared by Redis"),
    "cluster_cache_items": no("caches belong to a machine; sessions are shared by Redis"),
    "cluster_cache_redis": no("caches belong to a machine; sessions are shared by Redis"),
    # HTTP client
    "timeout": milliseconds("oidc_timeout"),
    "keepalive": flag("oidc_keepalive"),
    "http_version": no("HTTP/1.1 and, where the provider has it, HTTP/2"),
    "ssl_verify": flag("oidc_ssl_verify"),
    "http_proxy": _proxy("oidc_http_proxy", "http_proxy_authorization"),
    "https_proxy": _proxy("oidc_https_proxy", "https_proxy_authorization"),
    "http_proxy_authorization": beside("http_proxy"),
    "https_proxy_authorization": beside("https_proxy"),
    "no_proxy": Parameter(
        lambda value, _: [Line("oidc_no_proxy", [h.strip() for h in str(value).split(",")])],
        ("oidc_no_proxy",)),
}

# Kong's defaults that are others here: said to the reader where the configuration leaves them out.
DEFAULTS: dict[str, str] = {
    "auth_methods": "Kong accepts all nine methods; here: session and authorization_code",
    "redirect_uri": "Kong's is the request's own URL; here: /oidc/callback, to be registered at the "
                    "provider",
    "login_action": "Kong's is `upstream`, which leaves the callback's URL in the address bar; here: "
                    "redirect",
    "login_tokens": "Kong's is `id_token`, which puts an ID token into the URL; here: off",
    "preserve_query_args": "Kong loses the original arguments; here they are kept",
    "session_storage": "Kong's is `cookie`; here: shm, shared memory of this machine",
    "leeway": "Kong's is 0; here: 60s",
}
