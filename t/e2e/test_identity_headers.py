"""Tokens, keys, answers and claims as headers: of the upstream's request and of the response."""

import base64
import json
import time

import pytest
from bench.access_token import access_token, bearer, call
from bench.client import NAVIGATION, Client
from bench.gateway import SESSION_SECRET, Site, protect
from bench.http_server import Answer
from bench.jose import claims_of, compact
from bench.nginx import location
from bench.proc import free_port
from bench.scripted_op import CLIENT_ID, json_answer, random_secret
from bench.upstream import Echo

UP = {
    "upstream_id_token_jwk_header": "X-Id-Key",
    "upstream_access_token_jwk_header": "X-Access-Key",
    "upstream_session_id_header": "X-Session",
}
DOWN = {
    "downstream_access_token_header": "X-Access-Token-Out",
    "downstream_id_token_header": "X-Id-Token",
    "downstream_id_token_jwk_header": "X-Id-Key",
    "downstream_access_token_jwk_header": "X-Access-Key",
    "downstream_refresh_token_header": "X-Refresh",
    "downstream_session_id_header": "X-Session",
    "downstream_header": ["X-User sub", "X-Name name", "X-Roles roles", "X-Raw name base64url",
                          "X_Odd_Name sub"],
}
NAMES = [words.split()[0] for value in DOWN.values()
         for words in ([value] if isinstance(value, str) else value)]
SIGNED = "application/token-introspection+jwt"
HOSTILE = "Zoë\r\nX-Admin: yes\t\u0000%41"


def decoded(value: str) -> bytes:
    return base64.urlsafe_b64decode(value + "=" * (-len(value) % 4))


@pytest.fixture(scope="module")
def provider(op):
    provider = op.provider("identity-headers")
    provider.claims = {"sub": "alice", "name": HOSTILE, "roles": ["a,b", "c\\d"]}
    return provider


TOKENS = {"auth_methods": "session authorization_code bearer introspection", "audience_required": "api"}


def body_of(provider, upstream, storage: dict) -> str:
    proxy = f"proxy_pass {upstream.origin};"
    both = {**UP, **DOWN, **storage}
    return "\n".join([
        location("/", protect(provider, **both) + proxy),
        location("/plain/", protect(provider, **storage) + proxy),
        location("/mine/", protect(provider, **both) + proxy),
        location("/api/", protect(provider, **both, **TOKENS,
                                  upstream_introspection_jwt_header="X-Introspection-Jwt",
                                  downstream_introspection_jwt_header="X-Introspection-Jwt",
                                  upstream_introspection_header="X-Introspection",
                                  downstream_introspection_header="X-Introspection") + proxy),
        location("/signed/", protect(provider, **storage, auth_methods="introspection",
                                     audience_required="api", introspection_accept=SIGNED,
                                     upstream_introspection_jwt_header="X-Introspection-Jwt",
                                     downstream_introspection_jwt_header="X-Introspection-Jwt",
                                     downstream_introspection_header="X-Introspection") + proxy),
        location("/rules/", protect(provider, **both, require="sub = nobody") + proxy),
        location("/off/", "oidc off;" + proxy),
        location("/lost/", protect(provider, **both) + f"error_page 502 /sorry;\n"
                           f"proxy_pass http://127.0.0.1:{free_port()};"),
        location("= /sorry", "oidc off;\nreturn 503 sorry;"),
        location("/pass/", protect(provider, **both, unauthenticated="pass") + proxy),
        location("/small/", protect(provider, **storage, upstream_header=["X-Name name", "X-User sub"],
                                    headers_size="1k",
                                    upstream_access_token_header="off") + proxy),
        location("/small-down/", protect(provider, **storage, downstream_id_token_header="X-Id-Token",
                                         headers_size="1k",
                                         upstream_access_token_header="off") + proxy),
    ])


@pytest.fixture(scope="module", params=["shm", "redis", "uncached", "cookie"])
def site(request, make_nginx, upstream, provider):
    storage = {}
    if request.param == "redis":
        redis = request.getfixturevalue("make_redis")()
        storage = {"session_storage": "redis", "redis_host": "127.0.0.1", "redis_port": redis.port,
                   "session_secret": SESSION_SECRET}
    if request.param == "cookie":
        storage = {"session_storage": "cookie", "session_secret": SESSION_SECRET}
    http = "oidc_session_cache off;\n" if request.param == "uncached" else ""
    return Site(make_nginx, upstream, provider,
                "large_client_header_buffers 4 16k;\n" + body_of(provider, upstream, storage),
                http=http)


@pytest.fixture
def alice(site):
    client = Client()
    site.login(client, "/")
    return client


def get(client, site, path="/"):
    return client.request("GET", site.url(path), NAVIGATION)


def test_downstream_of_a_session(site, alice, provider):
    for _ in range(3):  # opened, and cached
        response = get(alice, site)
        assert response.status == 200, response
        assert response.header("Cache-Control") == "private, no-store"
        assert claims_of(response.header("X-Id-Token"))["sub"] == "alice"
        assert response.header("X-Access-Token-Out") == Echo(response.body).bearer
        assert response.header("X-Refresh")
        assert response.header("X-Session") == Echo(response.body).header("X-Session")
        assert response.header("X-User") == response.header("X_Odd_Name") == "alice"
        assert response.header("X-Roles") == r"a\,b,c\\d"
        assert decoded(response.header("X-Raw")).decode() == HOSTILE
        name = response.header("X-Name")
        assert name.isascii() and name.isprintable() and "%0D%0A" in name
        assert response.all("X-Admin") == []
        assert response.all("X-Access-Key") == [], "a session's access token is not verified here"
        key = json.loads(decoded(response.header("X-Id-Key")))
        assert key["kid"] == provider.signer.kid and "d" not in key
        assert Echo(response.body).header("X-Id-Key") == response.header("X-Id-Key")


def test_nothing_without_the_directives(site, alice):
    response = get(alice, site, "/plain/x")
    assert response.status == 200
    assert [n for n in NAMES if response.all(n)] == []
    assert response.all("Cache-Control") == []


def test_not_on_an_error_page_of_another_location(site, alice):
    response = get(alice, site, "/lost/x")
    assert response.status >= 500 and response.body == b"sorry", response
    assert [n for n in NAMES if response.all(n)] == []


def test_the_upstreams_own_are_replaced(site, alice, upstream):
    upstream.answers["/mine/x"] = Answer(body=b"x", headers=(
        ("X-User", "admin"), ("x-user", "root"), ("X-Access-Key", "forged"), ("X-Other", "stays"),
        ("Cache-Control", "public, max-age=600"), ("CDN-Cache-Control", "max-age=600"),
        ("Surrogate-Control", "max-age=600"), ("Expires", "Thu, 31 Dec 2037 23:55:55 GMT")))
    response = get(alice, site, "/mine/x")
    assert response.status == 200
    assert response.all("X-User") == ["alice"]
    assert response.all("X-Access-Key") == []
    assert response.all("X-Other") == ["stays"]
    assert response.all("Cache-Control") == ["private, no-store"]
    for name in ("Expires", "CDN-Cache-Control", "Surrogate-Control"):
        assert response.all(name) == []


def test_never_on_refusals(site, alice, upstream):
    upstream.answers["/mine/gone"] = Answer(status=404, body=b"gone")
    for client, path, status in (
            (Client(), "/", 302), (alice, "/rules/x", 403), (alice, "/off/x", 200),
            (Client(), "/pass/x", 200)):
        response = get(client, site, path)
        assert response.status == status, (path, response)
        assert [n for n in NAMES if response.all(n)] == [], path
    callback = site.login(Client(), "/")
    assert [n for n in NAMES if callback.all(n)] == []
    upstream_404 = get(alice, site, "/mine/gone")
    assert upstream_404.status == 404
    assert upstream_404.header("X-User") == "alice", "the answer to a request that was granted"


def test_forged_are_cleared(site, alice):
    for name in ("X-Id-Key", "X_Id_Key", "x-session", "X-Access-Key"):
        response = alice.request("GET", site.url("/off/x"), [*NAVIGATION, (name, "forged")])
        assert "forged" not in str(Echo(response.body).headers), name
    response = alice.request("GET", site.url("/"), [*NAVIGATION, ("X-Access-Key", "forged")])
    assert Echo(response.body).all("X-Access-Key") == []


def test_a_refresh_brings_other_values(site, provider):
    provider.token_life = 1
    try:
        client = Client()
        site.login(client, "/")
        before = get(client, site)
        provider.token_life = 300
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline:
            after = get(client, site)
            if after.header("X-Access-Token-Out") != before.header("X-Access-Token-Out"):
                break
            time.sleep(0.2)
        assert after.header("X-Access-Token-Out") == Echo(after.body).bearer
        assert after.header("X-Refresh") != before.header("X-Refresh")
        assert json.loads(decoded(after.header("X-Id-Key")))["kid"] == provider.signer.kid
    finally:
        provider.token_life = 300


def test_of_a_verified_token(site, provider):
    token = access_token(provider)
    for _ in range(2):
        response = call(site.url("/api/x"), bearer(token))
        assert response.status == 200, response
        assert response.header("X-Access-Token-Out") == token == Echo(response.body).bearer
        key = json.loads(decoded(response.header("X-Access-Key")))
        assert key["kid"] == provider.signer.kid
        assert Echo(response.body).header("X-Access-Key") == response.header("X-Access-Key")
        for name in ("X-Session", "X-Id-Token", "X-Refresh", "X-Id-Key", "X-Introspection"):
            assert response.all(name) == [], name
        assert response.header("Cache-Control") == "private, no-store"
    refused = call(site.url("/api/x"), bearer(token[:-8] + "AAAAAAAA"))
    assert refused.status == 401 and [n for n in NAMES if refused.all(n)] == []


def test_of_an_introspected_token(site, provider):
    said = {"active": True, "sub": "bob", "aud": "api", "name": HOSTILE}
    provider.override["introspect"] = lambda request: json_answer(said)
    try:
        for token in 2 * [random_secret("access token")]:
            response = call(site.url("/api/x"), bearer(token))
            assert response.status == 200, response
            assert json.loads(decoded(response.header("X-Introspection"))) == said
            assert Echo(response.body).header("X-Introspection") == response.header("X-Introspection")
            assert response.header("X-User") == "bob"
            assert response.all("X-Access-Key") == []
            assert response.all("X-Introspection-Jwt") == [] == Echo(response.body).all(
                "X-Introspection-Jwt"), "the answer was not signed"
    finally:
        provider.override.clear()


def test_of_a_signed_introspection(site, provider):
    """RFC 9701: the answer as it was signed, and what it says."""
    said = {"active": True, "sub": "bob", "aud": "api"}
    claims = {"iss": provider.issuer, "aud": CLIENT_ID, "iat": int(time.time()),
              "token_introspection": said}
    answer = compact({**provider.header(), "typ": "token-introspection+jwt"}, claims,
                     provider.signer.sign)
    provider.override["introspect"] = Answer(body=answer.encode(), content_type=SIGNED)
    try:
        token = random_secret("access token")
        for _ in range(2):
            response = call(site.url("/signed/x"), bearer(token))
            assert response.status == 200, response
            assert response.header("X-Introspection-Jwt") == answer
            assert Echo(response.body).header("X-Introspection-Jwt") == answer
            assert json.loads(decoded(response.header("X-Introspection"))) == said
    finally:
        provider.override.clear()


def test_too_large_is_refused(site, provider, alice):
    assert get(alice, site, "/small/x").status == 200
    provider.claims["name"] = "g" * 900
    try:
        client = Client()
        site.login(client, "/plain/")
        before = len(site.upstream.requests)
        for path, header in (("/small/x", "x-name"), ("/small-down/x", "x-id-token")):
            view = site.nginx.view()
            response = get(client, site, path)
            assert response.status == 500, response
            assert view.wait_reason(["headers_too_large"])
            assert response.all("X-Id-Token") == []
            log = view.text()
            assert "reason=headers_too_large" in log and f"{header} has " in log
            assert "oidc_headers_size" in log and "ggggg" not in log
        assert len(site.upstream.requests) == before, "nothing reached the upstream"
    finally:
        provider.claims["name"] = HOSTILE
