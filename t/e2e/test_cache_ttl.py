"""oidc_cache_ttl_min, _max, _neg, _resurrect: how long what is known of tokens and of the provider is kept."""

import time

import pytest
from bench.access_token import access_token, bearer, call
from bench.gateway import Site, protect
from bench.http_server import Answer
from bench.nginx import location
from bench.scripted_op import random_secret

ASKS = {"auth_methods": "introspection", "audience_required": "api"}


def opaque() -> str:
    return random_secret("access token")


def asked(provider, token: str) -> int:
    return sum(("token", token) in r.form for r in provider.requests
               if r.path.endswith("/introspect"))


def wait_until(holds, what: str, patience: float = 30) -> None:
    deadline = time.monotonic() + patience
    while not holds():
        assert time.monotonic() < deadline, what
        time.sleep(0.1)


@pytest.fixture(scope="module")
def provider(op):
    return op.provider("cache-ttl")


@pytest.fixture(scope="module")
def site(make_nginx, upstream, provider):
    proxy = f"proxy_pass {upstream.origin};"
    return Site(make_nginx, upstream, provider, "\n".join([
        location("/", protect(provider, **ASKS) + proxy),
        location("/max/", protect(provider, **ASKS, cache_ttl_max="1s") + proxy),
        location("/min/", protect(provider, **ASKS, cache_ttl_min="5m", cache_ttl_max="1h") + proxy),
        location("/neg/", protect(provider, **ASKS, cache_ttl_neg="1s") + proxy),
        location("/neg-off/", protect(provider, **ASKS, cache_ttl_neg="off") + proxy),
    ]))


@pytest.fixture(autouse=True)
def right(provider):
    yield
    provider.override.clear()
    provider.introspection = {"active": True, "sub": "alice", "aud": "api"}


def test_a_longest_life(site, provider):
    token = opaque()
    assert call(site.url("/max/x"), bearer(token)).status == 200
    provider.introspection = {"active": False}
    wait_until(lambda: call(site.url("/max/x"), bearer(token)).status == 401, "still accepted")
    assert asked(provider, token) >= 2


def test_a_least_life_outlives_no_token(site, provider):
    provider.introspection = {"active": True, "sub": "alice", "aud": "api",
                              "exp": int(time.time()) + 2}
    token = opaque()
    assert call(site.url("/min/x"), bearer(token)).status == 200
    provider.introspection = {"active": False}
    wait_until(lambda: call(site.url("/min/x"), bearer(token)).status == 401, "still accepted")


def test_refusals_are_kept(site, provider):
    provider.introspection = {"active": False}
    for path, most in (("/x", 1), ("/neg-off/x", None)):
        token = opaque()
        answers = [call(site.url(path), bearer(token)).status for _ in range(5)]
        assert answers == [401] * 5
        assert asked(provider, token) == (most or 5), path


def test_a_refusal_that_is_over(site, provider):
    provider.introspection = {"active": False}
    token = opaque()
    assert call(site.url("/neg/x"), bearer(token)).status == 401
    provider.introspection = {"active": True, "sub": "alice", "aud": "api"}
    wait_until(lambda: call(site.url("/neg/x"), bearer(token)).status == 200, "still refused")


def gateway(make_nginx, upstream, op, name, **settings):
    provider = op.provider(name)
    site = Site(make_nginx, upstream, provider, auth_methods="bearer", audience_required="api",
                cache_ttl="1s", timeout="1s", **settings)
    return provider, site


def break_documents(provider) -> None:
    for endpoint in ("openid-configuration", "jwks"):
        provider.override[endpoint] = Answer(status=503)


def test_old_keys_serve_while_they_may(make_nginx, upstream, op):
    provider, site = gateway(make_nginx, upstream, op, "resurrect", cache_ttl_resurrect="4s")
    began = time.monotonic()
    assert call(site.url("/x"), bearer(access_token(provider))).status == 200
    break_documents(provider)
    seen = []
    while time.monotonic() < began + 30 and 503 not in seen:
        seen.append(call(site.url("/x"), bearer(access_token(provider))).status)
        if seen[-1] == 503:
            assert time.monotonic() - began > 4, "too early"
        time.sleep(0.1)
    assert set(seen) == {200, 503}, seen
    provider.override.clear()
    wait_until(lambda: call(site.url("/x"), bearer(access_token(provider))).status == 200,
               "not there again", 60)


def test_off_waits_for_new_ones(make_nginx, upstream, op):
    provider, site = gateway(make_nginx, upstream, op, "resurrect-off", cache_ttl_resurrect="off")
    assert call(site.url("/x"), bearer(access_token(provider))).status == 200
    break_documents(provider)
    wait_until(lambda: call(site.url("/x"), bearer(access_token(provider))).status == 503,
               "an old key set serves")
    provider.override.clear()
    wait_until(lambda: call(site.url("/x"), bearer(access_token(provider))).status == 200,
               "not there again", 60)


def test_without_the_directive_they_serve_on(make_nginx, upstream, op):
    provider, site = gateway(make_nginx, upstream, op, "resurrect-default")
    assert call(site.url("/x"), bearer(access_token(provider))).status == 200
    break_documents(provider)
    end = time.monotonic() + 4
    while time.monotonic() < end:
        assert call(site.url("/x"), bearer(access_token(provider))).status == 200
        time.sleep(0.2)
