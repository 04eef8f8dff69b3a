"""`nginx -t` refuses what cannot work; the message names the directive, the value, the remedy."""

import pytest
from bench.nginx import Nginx, directives, location, server
from bench.proc import make_dir

GOOD = {"issuer": "https://op.example", "client_id": "gateway", "client_secret": "not-shown-9999"}
LONG = "a-secret-of-at-least-32-random-bytes-0123456789"


@pytest.fixture(scope="module")
def check(settings):
    """`check(text)` puts it in a location; `check(server=..., http=...)` elsewhere."""
    nginx = Nginx(settings, "config")

    def run(block="", server_body="", http="", names="gw.example", listen="", **options):
        body = server_body + location("/", block + "\nreturn 200;")
        return nginx.check(http + server(8999, body, names, listen=listen), **options)
    return run


def on(**changes):
    return "oidc on;\n" + directives(**{**GOOD, **changes})


ACCEPTED = {
    "least": on(),
    "off": "oidc off;",
    "everything of the tutorial": on(
        auth_methods="authorization_code session", response_mode="form_post",
        preserve_query_args="on", login_action="redirect", login_tokens="off"),
    "redis": on(session_storage="redis", session_secret=LONG, redis_host="127.0.0.1",
                redis_port="6380", redis_database="2", redis_prefix="p:", redis_username="u",
                redis_password="p"),
    "times": on(session_idling_timeout="0", session_absolute_timeout="12h", timeout="500ms",
                leeway="10s"),
    "public client": on(client_secret=None, client_auth="none"),
    "absolute redirect_uri": on(redirect_uri="https://gw.example/cb"),
    "two secrets": on(session_secret=f"{LONG} {LONG[::-1]}"),
    "http issuer on loopback": on(issuer="http://127.0.0.1:8080/realms/x"),
    "headers": on(upstream_header=["X-User sub", "X-Role realm_access.roles"],
                  upstream_id_token_header="X-Id-Token"),
    "session samesite": on(session_cookie_same_site="Strict"),
}


@pytest.mark.parametrize("name", ACCEPTED)
def test_accepted(check, name):
    code, message = check(ACCEPTED[name])
    assert code == 0, message


# name: (block, words that the message must contain)
REFUSED = {
    "no issuer": (on(issuer=None), ["oidc_issuer"]),
    "no client_id": (on(client_id=None), ["oidc_client_id"]),
    "remember switch": (on(session_remember="yes"), ["oidc_session_remember", "yes", "on or off"]),
    "remember name": (on(session_remember_cookie_name='"a b"'),
                      ["oidc_session_remember_cookie_name", "a b", "name of a cookie"]),
    "remember name of the session": (
        on(session_cookie_name="s", session_remember_cookie_name="s"),
        ["oidc_session_remember_cookie_name", "another cookie"]),
    "remember rolling": (on(session_remember_rolling_timeout="2y"),
                         ["oidc_session_remember_rolling_timeout", "2y"]),
    "remember absolute": (on(session_remember_absolute_timeout="never"),
                          ["oidc_session_remember_absolute_timeout", "never"]),
    "remember for ever": (
        on(session_remember="on", session_remember_rolling_timeout="0",
           session_remember_absolute_timeout="0"),
        ["oidc_session_remember_absolute_timeout", "must not be 0"]),
    "states zone in a location": (on(authorization_zone="4m"),
                                  ["oidc_authorization_zone", "not allowed here"]),
    "switch": ("oidc maybe;", ["oidc", "maybe", "on", "off"]),
    "issuer no URL": (on(issuer="op.example"), ["oidc_issuer", "op.example", "http"]),
    "issuer with query": (on(issuer="https://op.example/?a=b"), ["oidc_issuer", "a=b"]),
    "issuer with fragment": (on(issuer='"https://op.example/#x"'), ["oidc_issuer"]),
    "issuer ftp": (on(issuer="ftp://op.example"), ["oidc_issuer", "ftp"]),
    "issuer with user": (on(issuer="https://u:p@op.example"), ["oidc_issuer"]),
    "response_mode": (on(response_mode="fragment"),
                      ["oidc_response_mode", "fragment", "form_post"]),
    "login_action": (on(login_action="dance"), ["oidc_login_action", "dance", "redirect"]),
    "auth_methods": (on(auth_methods="telepathy"), ["oidc_auth_methods", "telepathy"]),
    "client_auth": (on(client_auth="client_secret_carrier_pigeon"),
                    ["oidc_client_auth", "client_secret_basic"]),
    "secret missing for basic": (on(client_secret=None, client_auth="client_secret_basic"),
                                 ["oidc_client_secret"]),
    "signing none": (on(signing_algs="RS256 none"), ["oidc_signing_algs", "none"]),
    "signing unknown": (on(signing_algs="RS1"), ["oidc_signing_algs", "RS1"]),
    "signing HS without the switch": (on(signing_algs="HS256"), ["oidc_signing_algs", "HS256"]),
    "scopes without openid": (on(scopes="profile"), ["oidc_scopes", "openid"]),
    "pkce": (on(require_proof_key_for_code_exchange="plain"),
             ["oidc_require_proof_key_for_code_exchange", "plain", "auto"]),
    "time": (on(timeout="soon"), ["oidc_timeout", "soon"]),
    "negative time": (on(leeway="-1s"), ["oidc_leeway", "-1s"]),
    "storage": (on(session_storage="floppy"), ["oidc_session_storage", "floppy", "redis"]),
    "redis without secret": (on(session_storage="redis"), ["oidc_session_secret"]),
    "short secret": (on(session_secret="short"), ["oidc_session_secret", "32"]),
    "unknown zone": (on(session_storage="shm:nowhere"), ["nowhere"]),
    "redis port": (on(session_storage="redis", session_secret=LONG, redis_port="99999"),
                   ["oidc_redis_port", "99999"]),
    "redis database": (on(session_storage="redis", session_secret=LONG, redis_database="minus"),
                       ["oidc_redis_database", "minus"]),
    "same_site": (on(session_cookie_same_site="Sometimes"),
                  ["oidc_session_cookie_same_site", "Sometimes", "lax"]),
    "cookie name": (on(session_cookie_name='"a b"'), ["oidc_session_cookie_name"]),
    "host prefix with domain": (on(session_cookie_name="__Host-s",
                                   session_cookie_domain="example.test"), ["__Host-"]),
    "host prefix with path": (on(session_cookie_name="__Host-s", session_cookie_path="/a"),
                              ["__Host-"]),
    "unauthenticated": (on(unauthenticated="shrug"), ["oidc_unauthenticated", "shrug", "deny"]),
    "duplicate": (on(client_id=["a", "b"]), ["oidc_client_id", "twice"]),
    "protocol parameter": (on(authorization_query_arg="state x"),
                           ["oidc_authorization_query_arg", "state"]),
    "protocol parameter client_id": (on(authorization_query_arg="client_id x"), ["client_id"]),
    "client argument": (on(authorization_query_args_client="redirect_uri"), ["redirect_uri"]),
    "redirect_uri relative": (on(redirect_uri="callback"), ["oidc_redirect_uri", "callback"]),
    "redirect_uri with query": (on(redirect_uri="/cb?a=b"), ["oidc_redirect_uri"]),
    "header name": (on(upstream_header='"X User" sub'), ["oidc_upstream_header", "X User"]),
    "header Host": (on(upstream_header="Host sub"), ["oidc_upstream_header", "Host"]),
    "no such file": (on(client_secret="file:/nonexistent/secret"),
                     ["oidc_client_secret", "/nonexistent/secret"]),
    "no such variable": (on(client_secret="env:E2E_NOT_SET"), ["oidc_client_secret",
                                                               "E2E_NOT_SET"]),
    "no such CA": (on(ssl_trusted_certificate="/nonexistent/ca.pem"),
                   ["oidc_ssl_trusted_certificate", "/nonexistent/ca.pem"]),
    "logout method": (on(logout_methods="BREW"), ["oidc_logout_methods", "BREW"]),
    "redirect target from the request": (on(login_redirect_uri="$arg_next"),
                                         ["oidc_login_redirect_uri", "arg_"]),
    "unknown directive": ("oidc_frobnicate on;", ["oidc_frobnicate"]),
}


@pytest.mark.parametrize("name", REFUSED)
def test_refused(check, name):
    block, words = REFUSED[name]
    code, message = check(block)
    assert code != 0, f"accepted: {block}"
    assert "[emerg]" in message
    for word in words:
        assert word in message, message
    assert "not-shown-9999" not in message and LONG not in message


def test_line_of_the_mistake(check):
    _, message = check(on(timeout="soon"))
    assert "nginx.conf:" in message


@pytest.mark.parametrize("names", ["_", "*.example", "~^gw", '""'])
def test_relative_redirect_uri_needs_a_literal_name(check, names):
    code, message = check(on(), names=names)
    assert code != 0 and "server_name" in message, message
    code, message = check(on(base_url="https://gw.example"), names=names)
    assert code == 0, message


def two(first, second):
    return location("/a/", on(**first)) + location("/b/", on(**second))


def test_two_issuers_on_one_callback(check):
    code, message = check(server_body=two({}, {"issuer": "https://other.example"}))
    assert code != 0 and "oidc_redirect_uri" in message, message
    code, message = check(server_body=two(
        {}, {"issuer": "https://other.example", "redirect_uri": "/cb2"}))
    assert code == 0, message


def test_one_remember_cookie_name_for_two_identities(check):
    remember = {"session_remember": "on", "session_remember_cookie_name": "r"}
    code, message = check(server_body=two(
        remember, {"client_id": "second", "redirect_uri": "/second/callback", **remember}))
    assert code != 0
    for word in ("oidc_session_remember_cookie_name", '"r"', "gateway", "second"):
        assert word in message, message


@pytest.mark.parametrize("index", [
    {"session_hash_subject": "off"}, {"session_store_metadata": "off"},
    {"session_max_per_subject": "3"}])
def test_one_index_for_all_servers(check, index):
    """Sessions of one client are in the same sets, on whatever servers."""
    def other(**changes):
        block = location("/", on(**changes) + "return 200;")
        return server(8998, block, "other.example")
    code, message = check(on(), http=other(**index))
    assert code != 0
    name = "oidc_" + next(iter(index))
    for word in (name, 'server "gw.example"', 'server "other.example"'):
        assert word in message, message
    code, message = check(on(**index), http=other(**index))
    assert code == 0, message
    code, message = check(on(), http=other(session_audience="apart", **index))
    assert code == 0, message


def test_one_cookie_name_for_two_identities(check):
    code, message = check(server_body=two(
        {"session_cookie_name": "same"},
        {"session_cookie_name": "same", "client_id": "other", "redirect_uri": "/cb2"}))
    assert code != 0 and "same" in message, message


WARNED = {
    "http issuer off loopback": (on(issuer="http://op.example"), "oidc_issuer"),
    "ssl_verify off": (on(ssl_verify="off"), "oidc_ssl_verify"),
}


@pytest.mark.parametrize("name", WARNED)
def test_warned(check, name):
    block, word = WARNED[name]
    code, message = check(block)
    assert code == 0, message
    assert "[warn]" in message and word in message, message


@pytest.mark.parametrize("directive", ["oidc_session_zone z 1m;"])
def test_http_context_only(check, directive):
    code, message = check(directive + on())
    assert code != 0 and "not allowed here" in message, message
    code, message = check(on(), http=directive)
    assert code == 0, message


@pytest.mark.parametrize("kind", ["file", "env"])
def test_secret_sources(check, kind):
    path = make_dir("secret") / "secret"
    path.write_text("from-a-file-secret\n")
    value = f"file:{path}" if kind == "file" else "env:HOME"
    code, message = check(on(client_secret=value))
    assert code == 0, message


def test_inheritance(check):
    """http and server values hold below; a location only says what differs."""
    code, message = check(
        "oidc on;", http=directives(**GOOD), server_body="oidc_scopes openid profile;")
    assert code == 0, message


def test_no_network_at_configuration(check, op):
    provider = op.provider("config")
    code, message = check(on(issuer=provider.issuer))
    assert code == 0, message
    assert provider.requests == []
