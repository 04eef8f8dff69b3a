"""Access tokens that expire: one refresh for all, rotation, and failures of the provider."""

import threading
import time

import pytest
from bench.client import XHR, Client
from bench.gateway import SESSION_SECRET, Site
from bench.http_server import Answer
from bench.jose import claims_of
from bench.scripted_op import json_answer


@pytest.fixture(params=["shm", "redis"])
def storage(request, make_redis):
    if request.param == "shm":
        return {"session_storage": "shm"}
    return {"session_storage": "redis", "session_secret": SESSION_SECRET,
            "redis_port": make_redis().port}


def new_provider(op, request, life=4):
    provider = op.provider(request.node.name.replace("[", "-").replace("]", ""))
    provider.token_life = life
    return provider


def grants(provider, kind="refresh_token"):
    return [r for r in provider.requests
            if r.path.endswith("/token") and dict(r.form).get("grant_type") == kind]


def test_refresh_with_rotation(make_nginx, upstream, op, storage, request):
    provider = new_provider(op, request)
    site, client = Site(make_nginx, upstream, provider, **storage), Client()
    site.login(client)
    tokens = {site.echo(client).bearer}
    cookie = client.cookie_header(site.url("/"))
    for _ in range(3):
        time.sleep(4.2)
        tokens.add(site.echo(client).bearer)
    assert len(tokens) == 4
    assert provider.violations == []
    assert client.cookie_header(site.url("/")) == cookie, "a refresh keeps the session's cookie"
    sent = dict(grants(provider)[-1].form)
    assert set(sent) - {"client_id", "client_secret", "scope"} == {"grant_type", "refresh_token"}


def test_no_refresh_before_it_is_due(make_nginx, upstream, op, request):
    provider = new_provider(op, request, life=300)
    site, client = Site(make_nginx, upstream, provider), Client()
    site.login(client)
    first = site.echo(client).bearer
    for _ in range(5):
        assert site.echo(client).bearer == first
    assert grants(provider) == []


@pytest.mark.parametrize("workers", [1])
def test_one_refresh_for_all_concurrent_requests(make_nginx, upstream, op, storage, request,
                                                 workers):
    provider = new_provider(op, request)
    site = Site(make_nginx, upstream, provider, options={"workers": workers}, **storage)
    client = Client()
    site.login(client)
    provider.override["token"] = lambda r: time.sleep(0.5)  # then the usual answer
    time.sleep(4.2)
    seen, jar = [], client.jar

    def one():
        own = Client()
        own.jar = jar
        seen.append(own.get(site.url("/x"), XHR))
    threads = [threading.Thread(target=one) for _ in range(20)]
    [t.start() for t in threads]
    [t.join() for t in threads]
    assert [r.status for r in seen] == [200] * 20
    assert len(grants(provider)) == 1
    assert provider.violations == []
    assert len({r.json()["headers"] and str([h for h in r.json()["headers"]
                                              if h[0] == "Authorization"]) for r in seen}) == 1


def test_same_refresh_token_when_none_comes_back(make_nginx, upstream, op, request):
    provider = new_provider(op, request)
    provider.rotate_refresh = False
    site, client = Site(make_nginx, upstream, provider), Client()
    site.login(client)
    for _ in range(2):
        time.sleep(4.2)
        assert site.echo(client).bearer
    used = [dict(r.form)["refresh_token"] for r in grants(provider)]
    assert len(used) == 2 and used[0] == used[1]


def test_no_id_token_in_the_refresh_answer(make_nginx, upstream, op, request):
    provider = new_provider(op, request)
    site, client = Site(make_nginx, upstream, provider,
                        upstream_id_token_header="X-Id-Token"), Client()
    site.login(client)
    first = site.echo(client).header("X-Id-Token")
    provider.edit_token_answer = lambda a: {k: v for k, v in a.items() if k != "id_token"}
    time.sleep(4.2)
    echo = site.echo(client)
    assert echo.bearer and echo.header("X-Id-Token") == first


BAD_ID_TOKENS = {
    "sub": lambda c: c | {"sub": "mallory"},
    "iss": lambda c: c | {"iss": "http://evil.test"},
    "aud": lambda c: c | {"aud": "somebody"},
    "nonce": lambda c: c | {"nonce": "another-one"},
}


@pytest.mark.parametrize("what", BAD_ID_TOKENS)
def test_refreshed_id_token_is_checked(make_nginx, upstream, op, request, what):
    """Core 12.2: the same iss, sub and aud; the nonce equal when it is there."""
    provider = new_provider(op, request)
    site, client = Site(make_nginx, upstream, provider), Client()
    site.login(client)
    provider.edit_claims = BAD_ID_TOKENS[what]
    time.sleep(4.2)
    seen = len(upstream.requests)
    response = client.get(site.url("/x"))
    assert response.status in (401, 502, 503), response
    assert len(upstream.requests) == seen


def test_rejected_refresh_ends_the_session(make_nginx, upstream, op, storage, request):
    provider = new_provider(op, request)
    site, client = Site(make_nginx, upstream, provider, **storage), Client()
    site.login(client)
    provider.override["token"] = json_answer({"error": "invalid_grant"}, 400)
    time.sleep(4.2)
    log, seen = site.nginx.view(), len(upstream.requests)
    assert client.get(site.url("/x")).status == 401
    assert log.wait_reason(["refresh_rejected"])
    provider.override.clear()
    assert site.asks_for_login(client)
    assert len(upstream.requests) == seen
    site.login(client)
    assert site.echo(client).bearer


FAILURES = {
    "500": Answer(500), "503": Answer(503), "closes": Answer(close=True),
    "garbage": Answer(200, b"<html>"), "hangs": Answer(hang=True),
}


def test_failing_provider_never_ends_a_session(make_nginx, upstream, op, storage, request):
    """An ill provider: 503 once the token is really expired, and the session goes on after.

    All failures at once, each at a provider of its own: most of the time is waiting.
    """
    cases = []
    for failure, answer in FAILURES.items():
        provider = op.provider(f"failing-{request.node.callspec.id}-{failure}")
        provider.token_life = 4
        site, client = Site(make_nginx, upstream, provider, timeout="1s", **storage), Client()
        site.login(client)
        provider.override["token"] = answer
        cases.append((failure, provider, site, client))
    time.sleep(4.2)
    for failure, provider, site, client in cases:
        log, seen = site.nginx.view(), len(upstream.requests)
        response = client.get(site.url("/x"))
        assert response.status == 503, (failure, response)
        assert int(response.header("Retry-After")) > 0
        assert response.all("Set-Cookie") == []
        assert log.wait_reason(["refresh_failed"]), failure
        assert len(upstream.requests) == seen
        provider.override.clear()
    end = time.monotonic() + 12
    for failure, provider, site, client in cases:
        while (response := client.get(site.url("/x"))).status != 200:
            assert response.status == 503 and time.monotonic() < end, (failure, response)
            time.sleep(0.3)


def test_still_valid_token_is_used_while_the_provider_is_ill(make_nginx, upstream, op, request):
    """Due early, but not expired: the old token serves."""
    provider = new_provider(op, request, life=12)  # due a quarter before: after 9 s
    site, client = Site(make_nginx, upstream, provider, timeout="1s"), Client()
    site.login(client)
    provider.override["token"] = Answer(500)
    time.sleep(9.5)
    assert site.echo(client).bearer
    assert grants(provider)


def test_client_that_leaves_does_not_lose_the_rotated_token(make_nginx, upstream, op, storage,
                                                            request):
    """The refresh belongs to the worker: it is stored with no waiter left."""
    provider = new_provider(op, request)
    site, client = Site(make_nginx, upstream, provider, **storage), Client()
    site.login(client)
    provider.override["token"] = lambda r: time.sleep(1.0)
    time.sleep(4.2)
    with pytest.raises(TimeoutError):
        client.get(site.url("/x"), timeout=0.3)
    time.sleep(1.5)
    provider.override.clear()
    assert site.echo(client).bearer
    assert provider.violations == []
    assert len(grants(provider)) == 1


def test_refresh_tokens_off(make_nginx, upstream, op, request):
    provider = new_provider(op, request, life=2)
    site, client = Site(make_nginx, upstream, provider, refresh_tokens="off"), Client()
    site.login(client)
    assert site.echo(client).bearer
    time.sleep(2.5)
    client.navigate(site.url("/"))
    assert grants(provider) == []


@pytest.mark.parametrize("expires_in", [0, -5, "soon", 1e300, None])
def test_odd_lifetimes(make_nginx, upstream, op, request, expires_in):
    """Zero, negative or no number: expired. Absent: the JWT's own exp counts."""
    provider = new_provider(op, request, life=300)
    provider.edit_token_answer = lambda a: {
        k: v for k, v in (a | {"expires_in": expires_in}).items() if v is not None}
    site, client = Site(make_nginx, upstream, provider), Client()
    site.login(client)
    response = client.get(site.url("/x"))
    assert response.status in (200, 503), response
    if expires_in is None:
        assert response.status == 200 and grants(provider) == []


def test_bearer_at_the_upstream_is_the_newest(make_nginx, upstream, op, request):
    provider = new_provider(op, request)
    site, client = Site(make_nginx, upstream, provider), Client()
    site.login(client)
    time.sleep(4.2)
    echo = site.echo(client)
    assert claims_of(echo.bearer)["exp"] > time.time()
