"""oidc_session_storage cookie at Keycloak, whose tokens are what a session in cookies has to hold."""

import time

import pytest
from bench.client import XHR, Client
from bench.keycloak import CLIENT_SECRET
from bench.login import begin, deliver
from bench.nginx import directives, location, server
from bench.proc import free_port
from bench.upstream import Echo
from test_session_in_cookies import COOKIES, SAME, copy_of, parts


@pytest.fixture(scope="module")
def at_keycloak(make_nginx, upstream, keycloak):
    port = free_port()
    nginx = make_nginx(server(port, location("/", "oidc on;" + directives(
        **COOKIES, issuer=keycloak.issuer, client_id="gateway", client_secret=CLIENT_SECRET,
        redirect_uri="/callback-basic", client_auth="client_secret_basic",
        require_proof_key_for_code_exchange="on")
        + f"proxy_pass {upstream.origin};")), port, workers=2)
    nginx.origin = f"http://127.0.0.1:{port}"
    return nginx


def test_refreshed_and_logged_out(at_keycloak, keycloak):
    keycloak.set_realm(accessTokenLifespan=4)
    try:
        site, client = at_keycloak, Client()
        answer = deliver(client, keycloak.login(begin(client, site.origin + "/x"), site.origin, "bob"))
        assert answer.status in (302, 303), answer
        header = client.cookie_header(site.origin + "/")
        print(f"\n    Cookie header of a session in cookies: {len(header)} bytes, "
              f"{len(parts(client))} parts")
        assert len(header) < 6144
        tokens = set()
        for _ in range(3):
            response = client.navigate(site.origin + "/x")
            assert response.status == 200, response
            tokens.add(Echo(response.body).bearer)
            time.sleep(4.3)
        assert len(tokens) == 3
        assert keycloak.sessions("bob")
        stolen = copy_of(client)
        assert client.request("POST", site.origin + "/logout", SAME, b"").status in (302, 303)
        assert stolen.get(site.origin + "/x", XHR).status == 401
    finally:
        keycloak.set_realm(accessTokenLifespan=60)
