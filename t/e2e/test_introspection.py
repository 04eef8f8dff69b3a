"""Tokens that the provider is asked about (RFC 7662): by script what may go wrong."""

import threading
import time

import pytest
from bench.access_token import access_token, bearer, call, refused
from bench.client import NAVIGATION, Client
from bench.gateway import Site, protect
from bench.http_server import Answer
from bench.nginx import location
from bench.scripted_op import json_answer, random_secret
from bench.upstream import Echo


@pytest.fixture(scope="module")
def provider(op):
    return op.provider("introspection")


@pytest.fixture(scope="module")
def site(make_nginx, upstream, provider):
    proxy = f"proxy_pass {upstream.origin};"
    asks = {"auth_methods": "introspection", "audience_required": "api", "timeout": "1s"}
    body = "\n".join([
        location("/", protect(provider, **asks) + proxy),
        location("/uncached/", protect(provider, **asks, cache_introspection="off") + proxy),
        location("/claims/", protect(provider, **asks, upstream_header=["X-User sub", "X-Team team"])
                 + proxy),
        location("/scope/", protect(provider, **asks, scopes_required="admin") + proxy),
        location("/args/", protect(provider, **asks, introspection_hint="off",
                                   introspection_post_arg="resource here") + proxy),
        location("/both/", protect(provider, **{**asks, "auth_methods": "bearer introspection"})
                 + proxy),
        location("/twice/", protect(provider, **{**asks, "auth_methods": "bearer introspection"},
                                    introspect_jwt_tokens="on") + proxy),
        location("/pass/", protect(provider, **asks, unauthenticated="pass") + proxy),
    ])
    return Site(make_nginx, upstream, provider, body)


@pytest.fixture(autouse=True)
def right(provider):
    yield
    provider.override.clear()
    provider.introspection = {"active": True, "sub": "alice", "aud": "api"}


def opaque() -> str:
    return random_secret("access token")


def asked(provider, token: str) -> int:
    return sum(("token", token) in r.form for r in provider.requests
               if r.path.endswith("/introspect"))


def test_active_passes_and_is_asked_once(site, provider):
    token = opaque()
    for _ in range(5):
        response = call(site.url("/x"), bearer(token))
        assert response.status == 200, response
        assert Echo(response.body).bearer == token
    assert asked(provider, token) == 1
    request = provider.last("introspect")
    assert dict(request.form) == {"token": token, "token_type_hint": "access_token"}
    assert request.header("Authorization").startswith("Basic ")
    assert request.header("Accept") == "application/json"


def test_inactive_is_refused_and_asked_once(site, provider):
    provider.introspection = {"active": False}
    token = opaque()
    for _ in range(3):
        refused(call(site.url("/x"), bearer(token)), 401, "invalid_token")
    refused(call(site.url("/pass/x"), bearer(token)), 401, "invalid_token")
    assert asked(provider, token) == 2


def test_uncached_is_asked_each_time(site, provider):
    token = opaque()
    assert [call(site.url("/uncached/x"), bearer(token)).status for _ in range(3)] == [200] * 3
    provider.introspection = {"active": False}
    refused(call(site.url("/uncached/x"), bearer(token)), 401, "invalid_token")
    assert asked(provider, token) == 4


def test_one_call_for_many_requests(site, provider):
    provider.override["introspect"] = lambda r: json_answer(provider.introspection, delay=0.5)
    token, answers = opaque(), []
    threads = [threading.Thread(
        target=lambda: answers.append(call(site.url("/uncached/x"), bearer(token)).status))
        for _ in range(10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert answers == [200] * 10
    assert asked(provider, token) < 10


def test_claims_of_the_answer(site, provider):
    provider.introspection |= {"team": "blue"}
    echo = Echo(call(site.url("/claims/x"), bearer(opaque()), ("X-Team", "red")).body)
    assert echo.header("X-User") == "alice" and echo.header("X-Team") == "blue"


def test_scope_of_the_answer(site, provider):
    provider.introspection |= {"scope": "read"}
    refused(call(site.url("/scope/x"), bearer(opaque())), 403, "insufficient_scope")
    provider.introspection |= {"scope": "read admin"}
    assert call(site.url("/scope/x"), bearer(opaque())).status == 200


def test_claims_of_a_jwt_that_nobody_verified_do_not_count(site, provider):
    del provider.introspection["aud"]
    refused(call(site.url("/x"), bearer(access_token(provider))), 401, "invalid_token")


def test_further_arguments(site, provider):
    token = opaque()
    assert call(site.url("/args/x"), bearer(token)).status == 200
    assert dict(provider.last("introspect").form) == {"token": token, "resource": "here"}


def test_both_methods(site, provider):
    jwt, other = access_token(provider), opaque()
    assert call(site.url("/both/x"), bearer(jwt)).status == 200
    assert asked(provider, jwt) == 0
    assert call(site.url("/both/x"), bearer(other)).status == 200
    assert asked(provider, other) == 1
    assert call(site.url("/twice/x"), bearer(jwt)).status == 200
    assert asked(provider, jwt) == 1
    over = access_token(provider, exp=int(time.time()) - 3600)
    refused(call(site.url("/twice/x"), bearer(over)), 401, "invalid_token")
    assert asked(provider, over) == 0
    provider.introspection = {"active": False}
    revoked = access_token(provider)
    refused(call(site.url("/twice/x"), bearer(revoked)), 401, "invalid_token")


def test_no_token_is_401(site):
    refused(call(site.url("/x")), 401, None)
    assert Client().request("GET", site.url("/x"), NAVIGATION).status == 401


YES = b'{"active": true, "aud": "api"}'
ANSWERS = {
    "not-json": (502, Answer(body=b"yes")),
    "empty": (502, Answer(body=b"")),
    "no-active": (502, Answer(body=b'{"aud": "api"}')),
    "active-text": (502, Answer(body=b'{"active": "true", "aud": "api"}')),
    "active-number": (502, Answer(body=b'{"active": 1, "aud": "api"}')),
    "active-null": (502, Answer(body=b'{"active": null, "aud": "api"}')),
    "active-twice": (502, Answer(body=b'{"active": false, "active": true, "aud": "api"}')),
    "list": (502, Answer(body=b"[" + YES + b"]")),
    "nested": (502, Answer(body=b'{"active": true, "x": ' + b"[" * 100 + b"]" * 100 + b"}")),
    "html": (502, Answer(body=YES, content_type="text/html")),
    "no-type": (502, Answer(body=YES, content_type=None)),
    "too-large": (502, Answer(body=b'{"active": true, "x": "' + b"x" * 100_000 + b'"}')),
    "truncated": (502, Answer(body=YES, truncate=10)),
    "redirect": (502, Answer(302, YES, headers=(("Location", "https://evil.test/"),))),
    "status-201": (502, Answer(201, YES)),
    "status-401": (502, Answer(401, YES)),
    "status-403": (502, Answer(403, YES)),
    "status-404": (502, Answer(404, YES)),
    "status-429": (503, Answer(429, YES)),
    "status-500": (503, Answer(500, YES)),
    "closed": (502, Answer(close=True)),
    "hangs": (504, Answer(hang=True)),
    "junk": (502, Answer(raw=b"\0\1\2junk")),
    "aud-other": (401, json_answer({"active": True, "aud": "other"})),
    "aud-none": (401, json_answer({"active": True})),
    "iss-other": (401, json_answer({"active": True, "aud": "api", "iss": "https://evil.test"})),
    "exp-past": (401, json_answer({"active": True, "aud": "api", "exp": 1})),
    "exp-text": (401, json_answer({"active": True, "aud": "api", "exp": "tomorrow"})),
    "nbf-future": (401, json_answer({"active": True, "aud": "api", "nbf": 32503680000})),
    "bound": (401, json_answer({"active": True, "aud": "api", "cnf": {"jkt": "x"}})),
    "refresh-token": (401, json_answer({"active": True, "aud": "api", "typ": "Refresh"})),
    "id-token": (401, json_answer({"active": True, "aud": "api", "nonce": "n"})),
    "sub-number": (401, json_answer({"active": True, "aud": "api", "sub": 5})),
}


@pytest.mark.parametrize("name", ANSWERS)
def test_hostile_answer(site, provider, name):
    status, answer = ANSWERS[name]
    provider.override["introspect"] = answer
    token = opaque()
    response = call(site.url(f"/{name}"), bearer(token))
    # Connections that break may count as unreachable as well.
    expected = (status, 503) if name in ("closed", "junk", "truncated") else (status,)
    assert response.status in expected, response
    assert "no-store" in response.header("Cache-Control")
    assert response.header("Location") is None
    assert site.upstream.seen(f"/{name}") == []
    provider.override.clear()
    if status >= 500:  # nothing of it is remembered
        assert call(site.url("/x"), bearer(token)).status == 200


def test_a_flood_of_made_up_tokens_is_bounded(site, provider):
    """Whoever sends tokens and leaves must not take all connections from logins and refreshes."""
    provider.introspection = {"active": False}
    provider.override["introspect"] = lambda r: Answer(hang=True)
    statuses = []

    def one():
        statuses.append(call(site.url("/x"), bearer(opaque())).status)
    threads = [threading.Thread(target=one) for _ in range(60)]
    [t.start() for t in threads]
    [t.join() for t in threads]
    assert set(statuses) == {503, 504} and statuses.count(504) <= 32, statuses
    provider.override.clear()
    provider.introspection = {"active": True, "sub": "alice", "aud": "api"}
    assert call(site.url("/x"), bearer(opaque())).status == 200
