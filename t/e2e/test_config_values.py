"""Each directive refuses something: `nginx -t` says file, line, directive, value and remedy."""

import re
from pathlib import Path

import pytest
from bench.nginx import Nginx, directives, location, server

ROOT = Path(__file__).parents[2]
LONG = "a-secret-of-at-least-32-random-bytes-0123456789"
GOOD = {"issuer": "https://op.example", "client_id": "gateway", "client_secret": "not-shown-9999"}
REDIS = directives(session_storage="redis", session_secret=LONG)
CLUSTER = REDIS + "oidc_redis_cluster_nodes a:1;\n"
SENTINEL = REDIS + "oidc_redis_sentinel_nodes a:1;\noidc_redis_sentinel_master m;\n"
PRINTABLE = "printable characters without spaces"
ON_OFF = "on or off"
TIME = "a time in whole seconds"
COOKIE = "the name of a cookie"
FACTS = "id, audience, subject"

# (directive, value, what would be right[, lines before it])
REFUSED = [
    # encryption, and what tokens are compared with
    ("encryption_algs", "RSA1_5", "RSA-OAEP, RSA-OAEP-256, ECDH-ES"),
    ("encryption_algs", "dir", "can be accepted"),
    ("encryption_encs", "A128CBC", "A128GCM, A192GCM"),
    ("encryption_required", "access_token", "id_token, userinfo or introspection"),
    ("encryption_required", "id_token", '"use": "enc"'),
    ("reverify", "sometimes", ON_OFF),
    ("domains", "Example.com", "a domain in lower case"),
    ("jwt_session_cookie", '"a b"', "a cookie's name"),
    ("jwt_session_claim", "a..b", "the path of a claim"),
    # sessions
    ("session_storage", "floppy", "shm, shm:NAME of an oidc_session_zone"),
    ("session_storage", "shm:", "shm, shm:NAME"),
    ("session_secret", "short", "at least 32 random bytes"),
    ("session_secret", f"{LONG} {LONG}", "twice"),
    ("session_secret", "file:/nonexistent/secret", "/nonexistent/secret"),
    ("session_absolute_timeout", "forever", TIME),
    ("session_absolute_timeout", "0", "must not be 0",
     "oidc_session_idling_timeout 0;\noidc_session_rolling_timeout 0;\n"),
    ("session_idling_timeout", "1500ms", TIME),
    ("session_rolling_timeout", "-1", TIME),
    ("session_rolling_timeout", "2y", "between 0 and"),
    ("session_audience", '""', PRINTABLE),
    ("session_cookie_name", '"a b"', COOKIE),
    ("session_cookie_path", "relative", "a path that begins with /"),
    ("session_cookie_domain", '"a b"', "a domain such as example.com"),
    ("session_cookie_domain", "elsewhere.example", "browsers refuse"),
    ("session_cookie_same_site", "Sometimes", "auto, lax, strict, none or default"),
    ("session_cookie_http_only", "maybe", ON_OFF),
    ("session_cookie_secure", "maybe", "auto, on or off"),
    ("session_request_headers", "name", FACTS),
    ("session_request_headers", "id id", "twice"),
    ("session_response_headers", "sid", FACTS),
    # remembered, bound
    ("session_remember", "yes", ON_OFF),
    ("session_remember_rolling_timeout", "soon", TIME),
    ("session_remember_absolute_timeout", "10y", "between 0 and"),
    ("session_remember_absolute_timeout", "0", "must not be 0",
     "oidc_session_remember on;\noidc_session_remember_rolling_timeout 0;\n"),
    ("session_remember_cookie_name", '"a;b"', COOKIE),
    ("session_remember_cookie_name", "same", "another cookie has this name",
     "oidc_session_cookie_name same;\n"),
    ("session_bind", "mac", "ip, scheme or user-agent"),
    # the index, and whom it serves
    ("session_store_metadata", "yes", ON_OFF),
    ("session_hash_subject", "sha1", ON_OFF),
    ("session_max_per_subject", "0", "between 1 and 1000"),
    ("session_max_per_subject", "2", "oidc_session_store_metadata on",
     "oidc_session_store_metadata off;\n"),
    ("client_jwks", "yes", "on or off"),
    ("status", "xml", "html, json"),
    ("resource_metadata", "http://api.test", "it must be https"),
    ("session_admin", "yes", "on, public or off"),
    # outage
    ("session_outage", "allow", "deny or cached=TIME"),
    ("session_outage", "cached=2h", "between 1s and 1h"),
    # logout
    ("logout_uri_suffix", '"/log out"', "the end of a path such as /logout"),
    ("logout_uri_suffix", "/callback", "ends like that", "oidc_redirect_uri /callback;\n"),
    ("logout_query_arg", '""', PRINTABLE),
    ("logout_post_arg", '""', PRINTABLE),
    ("logout_methods", "BREW", "get, post or delete"),
    ("logout_from", "everywhere", "same-origin, same-site or any"),
    ("logout_redirect_uri", "$arg_next", "arg_"),
    ("logout_revoke", "yes", ON_OFF),
    ("logout_revoke", "on", "no token left",
     "oidc_logout_revoke_access_token off;\noidc_logout_revoke_refresh_token off;\n"),
    ("logout_revoke_access_token", "yes", ON_OFF),
    ("logout_revoke_refresh_token", "yes", ON_OFF),
    ("post_logout_uri", "signed-out", "a path of this server"),
    ("backchannel_logout_uri", "https://gw.example/x", "a path of this server"),
    ("backchannel_logout_uri", "/x", "oidc_session_store_metadata on",
     "oidc_session_store_metadata off;\n"),
    ("backchannel_logout_exp", "maybe", "required or optional"),
    ("frontchannel_logout_uri", "x", "a path of this server"),
    ("frontchannel_logout_uri", "/x", "oidc_backchannel_logout_uri",
     "oidc_backchannel_logout_uri /x;\n"),
    # Redis
    ("redis_host", "a:b", "a host name or an address", REDIS),
    ("redis_port", "0", "between 1 and 65535", REDIS),
    ("redis_socket", "redis.sock", "the absolute path of a socket", REDIS),
    ("redis_socket", "/run/redis.sock", "oidc_redis_host", REDIS + "oidc_redis_host a;\n"),
    ("redis_prefix", '""', PRINTABLE, REDIS),
    ("redis_database", "-1", "a whole number", REDIS),
    ("redis_username", "u", "oidc_redis_password must be set", REDIS),
    ("redis_password", "env:E2E_NOT_SET", "E2E_NOT_SET", REDIS),
    ("redis_ssl", "yes", ON_OFF, REDIS),
    ("redis_ssl", "on", "no TLS over oidc_redis_socket", REDIS + "oidc_redis_socket /run/r;\n"),
    ("redis_ssl_verify", "yes", ON_OFF, REDIS),
    ("redis_ssl_trusted_certificate", "/nonexistent/ca.pem", "/nonexistent/ca.pem",
     REDIS + "oidc_redis_ssl on;\n"),
    ("redis_ssl_certificate", "/nonexistent/c.pem", "cannot find", REDIS),
    ("redis_ssl_certificate_key", "/nonexistent/k.pem", "cannot find", REDIS),
    ("redis_server_name", '""', PRINTABLE, REDIS),
    ("redis_connect_timeout", "1ms", "between 10ms and 1m", REDIS),
    ("redis_send_timeout", "2m", "between 10ms and 1m", REDIS),
    ("redis_read_timeout", "soon", "a time such as 500ms", REDIS),
    ("redis_keepalive_pool_size", "0", "between 1 and 256", REDIS),
    ("redis_cluster_nodes", "10.0.0.1", "HOST:PORT is expected", REDIS),
    ("redis_cluster_nodes", "b:1", "oidc_redis_sentinel_nodes", SENTINEL),
    ("redis_cluster_max_redirections", "101", "between 0 and 100", CLUSTER),
    ("redis_database", "2", "database 0 alone", CLUSTER),
    ("redis_sentinel_nodes", "a:0", "between 1 and 65535", REDIS),
    ("redis_sentinel_nodes", "a:1", "oidc_redis_sentinel_master must be set", REDIS),
    ("redis_sentinel_master", "m", "oidc_redis_sentinel_nodes must be set", REDIS),
    ("redis_sentinel_role", "leader", "master, slave or any", SENTINEL),
    ("redis_sentinel_role", "slave", "it must be master", SENTINEL),
    ("redis_sentinel_username", "u", "oidc_redis_sentinel_password", SENTINEL),
    ("redis_sentinel_password", "file:/nonexistent/p", "/nonexistent/p", SENTINEL),
    # others that had none
    ("id_token_audiences", '"a b"', "printable words"),
    ("upstream_access_token_header", '"X Token"', "header"),
    ("upstream_id_token_header", '"X Token"', "header"),
    ("upstream_refresh_token_header", '"X Token"', "header"),
    ("upstream_session_id_header", '"X Token"', "header"),
    ("upstream_access_token_jwk_header", '"X Token"', "header"),
    ("upstream_id_token_jwk_header", '"X Token"', "header"),
    ("upstream_user_info_header", '"X Token"', "header"),
    ("upstream_user_info_jwt_header", '"X Token"', "header"),
    ("upstream_introspection_header", '"X Token"', "header"),
    ("upstream_introspection_jwt_header", '"X Token"', "header"),
    ("downstream_access_token_header", '"X Token"', "header"),
    ("downstream_access_token_jwk_header", '"X Token"', "header"),
    ("downstream_id_token_header", '"X Token"', "header"),
    ("downstream_id_token_jwk_header", '"X Token"', "header"),
    ("downstream_refresh_token_header", '"X Token"', "header"),
    ("downstream_session_id_header", '"X Token"', "header"),
    ("downstream_user_info_header", '"X Token"', "header"),
    ("downstream_user_info_jwt_header", '"X Token"', "header"),
    ("downstream_introspection_header", '"X Token"', "header"),
    ("downstream_introspection_jwt_header", '"X Token"', "header"),
    ("downstream_header", "Set-Cookie sub", "the server or the browser needs this header"),
    ("headers_size", "16", "between"),
    ("upstream_jwt", "X-Identity /nonexistent/key", "/nonexistent/key"),
    ("cache_ttl_min", "soon", TIME),
    ("cache_ttl_max", "40d", "between"),
    ("cache_ttl_neg", "2m", "between"),
    ("cache_ttl_resurrect", "never", TIME),
    ("scopes_required", "read off", "it stands alone"),
    ("audience_claim", "a..b", "the path of a claim"),
    # cookies of pending logins
    ("authorization_cookie_name", '"a=b"', COOKIE),
    ("authorization_cookie_path", "/elsewhere", "to the callback"),
    ("authorization_cookie_domain", "elsewhere.example", "browsers refuse"),
    ("authorization_cookie_same_site", "Strict", "the provider's answer"),
    ("authorization_cookie_http_only", "maybe", ON_OFF),
    ("authorization_cookie_secure", "maybe", "auto, on or off"),
]

# The same in the http block.
REFUSED_IN_HTTP = [
    ("session_zone", "z 1k", "between 64k"),
    ("session_zone", '"a:b" 1m', "the name of a zone"),
    ("session_cache", "1k", "between 64k"),
    ("session_cache", "1m age=3", "max_age=TIME"),
    ("session_cache", "1m max_age=2h", "between 1s and 1h"),
]


@pytest.fixture(scope="module")
def nginx(settings):
    return Nginx(settings, "config-values")


def expect_refusal(nginx, text, directive, value, remedy):
    code, message = nginx.check(text)
    assert code != 0, f"accepted: {directive} {value}"
    told = next(line for line in message.splitlines() if "[emerg]" in line)
    assert directive in told and remedy in told, told
    lines = (nginx.dir / "nginx.conf").read_text().splitlines()
    place = re.search(r" in (\S+nginx\.conf):(\d+)( \(for |$)", told)
    assert place, told
    assert lines[int(place[2]) - 1] == f"{directive} {value};", told
    words = value.split()
    if "expected" in told or "it must be" in told:
        assert any(word.strip('"').split("=")[-1][:20] in told for word in words), told
    assert LONG not in message and "not-shown-9999" not in message


def named(row):
    return f"{row[0]} {row[1]}"[:60]


@pytest.mark.parametrize("row", REFUSED, ids=named)
def test_refused(nginx, row):
    name, value, remedy, before = (*row, "")[:4]
    block = f"oidc on;\n{directives(**GOOD)}{before}oidc_{name} {value};\nreturn 200;"
    text = server(8999, location("/", block), "gw.example")
    expect_refusal(nginx, text, f"oidc_{name}", value, remedy)


@pytest.mark.parametrize("row", REFUSED_IN_HTTP, ids=named)
def test_refused_in_http(nginx, row):
    name, value, remedy = row
    block = f"oidc on;\n{directives(**GOOD)}\nreturn 200;"
    text = f"oidc_{name} {value};\n" + server(8999, location("/", block), "gw.example")
    expect_refusal(nginx, text, f"oidc_{name}", value, remedy)


def test_no_directive_without_a_refusal():
    documented = re.findall(r"^### `(oidc\w*)`", (ROOT / "docs/directives.md").read_text(), re.M)
    assert len(documented) > 100
    files = [*ROOT.glob("t/unit/conf_*_test.cpp"), *ROOT.glob("t/e2e/test_config*.py")]
    texts = "\n".join(path.read_text() for path in files)
    refused = {f"oidc_{row[0]}" for row in REFUSED + REFUSED_IN_HTTP}
    untested = [name for name in documented
                if name not in refused and not re.search(rf"\b{name}\b", texts)]
    assert untested == []
