"""Keycloak without a browser: what Chromium cannot show or would show slowly."""

import threading
import time

import pytest
from bench.client import Client
from bench.gateway import SESSION_SECRET
from bench.jose import claims_of
from bench.keycloak import CLIENT_SECRET
from bench.login import begin, deliver
from bench.nginx import directives, location, server
from bench.proc import free_port
from bench.upstream import Echo


@pytest.fixture(scope="module", params=["shm", "redis"])
def site(request, make_nginx, upstream, keycloak, make_redis):
    redis = make_redis() if request.param == "redis" else None
    storage = "" if redis is None else directives(
        session_storage="redis", session_secret=SESSION_SECRET, redis_port=redis.port)
    port = free_port()
    blocks = [location(path, "oidc on;" + storage + directives(
        issuer=keycloak.issuer, client_id="gateway", client_secret=CLIENT_SECRET,
        client_auth=auth, redirect_uri=f"/callback-{name}", response_mode=mode,
        require_proof_key_for_code_exchange="on")
        + f"proxy_pass {upstream.origin};")
        for path, name, auth, mode in (
            ("/", "basic", "client_secret_basic", "query"),
            ("/post/", "post", "client_secret_post", "form_post"))]
    nginx = make_nginx(server(port, "\n".join(blocks)), port)
    nginx.origin = f"http://127.0.0.1:{port}"
    nginx.redis = redis
    return nginx


def log_in(site, keycloak, path="/x", user="alice"):
    client = Client()
    delivery = keycloak.login(begin(client, site.origin + path), site.origin, user)
    response = deliver(client, delivery)
    assert response.status in (302, 303), response
    assert response.location.removeprefix(site.origin) == path
    return client


def bearer(site, client, path="/x"):
    response = client.navigate(site.origin + path)
    assert response.status == 200, response
    return Echo(response.body).bearer


@pytest.mark.parametrize("path", ["/x?a=%2F", "/post/x"])
def test_login(site, keycloak, path):
    token = claims_of(bearer(site, log_in(site, keycloak, path), path))
    assert token["preferred_username"] == "alice"
    assert set(token["groups"]) == {"staff", "gateways"}
    assert "editor" in token["realm_access"]["roles"]


def test_size(site, keycloak):
    """What a session with Keycloak's tokens takes; a figure, with a bound far above it."""
    client = log_in(site, keycloak)
    cookie = client.cookie_header(site.origin + "/")
    print(f"\n    session cookie: {len(cookie.partition('=')[2])} bytes, with its name {len(cookie)}")
    assert len(cookie) <= 120
    if site.redis is None:
        return
    token = bearer(site, client)
    name = site.redis.keys("session:" + "?" * 43)[-1]
    stored = site.redis.command("STRLEN", name)
    used = site.redis.command("MEMORY", "USAGE", name)
    print(f"    session in Redis: {stored} bytes, {used} with Redis's own; "
          f"the access token alone has {len(token)}")
    assert stored < 8192


def test_rotation_under_concurrency(site, keycloak):
    """Keycloak drops the session when a rotated refresh token is used again: so it is never."""
    keycloak.set_realm(accessTokenLifespan=4)
    try:
        client = log_in(site, keycloak, user="bob")
        for _ in range(2):
            time.sleep(4.3)
            statuses = []

            def one():
                own = Client()
                own.jar = client.jar
                statuses.append(own.get(site.origin + "/x").status)
            threads = [threading.Thread(target=one) for _ in range(15)]
            [t.start() for t in threads]
            [t.join() for t in threads]
            assert statuses == [200] * 15
        assert keycloak.sessions("bob")
    finally:
        keycloak.set_realm(accessTokenLifespan=60)


def test_used_code_is_refused_by_keycloak(site, keycloak):
    """A code is good once; the second answer comes from the gateway alone."""
    client = Client()
    delivery = keycloak.login(begin(client, site.origin + "/x"), site.origin)
    assert deliver(client, delivery).status in (302, 303)
    assert deliver(Client(), delivery).status == 400


def test_wrong_client_secret(make_nginx, upstream, keycloak):
    port = free_port()
    nginx = make_nginx(server(port, location("/", "oidc on;" + directives(
        issuer=keycloak.issuer, client_id="gateway", client_secret="not-the-right-secret-at-all")
        + f"proxy_pass {upstream.origin};")), port)
    client, origin = Client(), f"http://127.0.0.1:{port}"
    delivery = keycloak.login(begin(client, origin + "/x"), origin)
    log = nginx.view()
    response = deliver(client, delivery)
    assert response.status == 502, response
    assert log.wait_reason(["token_client_rejected"])
