"""Cookies that are bound, and facts of the session as headers."""

import pytest
from bench.client import XHR, Client
from bench.gateway import SESSION_SECRET, Site, protect
from bench.nginx import location


@pytest.fixture(scope="module")
def provider(op):
    return op.provider("binding")


def status(site, client, *headers):
    return client.get(site.url("/x"), [*XHR, *headers]).status


def test_a_cookie_stolen_by_another_browser(make_nginx, upstream, provider):
    site, client = Site(make_nginx, upstream, provider, session_bind="user-agent"), Client()
    site.login(client)
    view = site.nginx.view()
    assert status(site, client) == 200
    for _ in range(3):
        assert status(site, client, ("User-Agent", "thief/1")) == 401
    assert "session_invalid" in view.reasons()
    assert status(site, client) == 200


def test_the_address_is_nginxs_own_idea_of_it(make_nginx, upstream, provider):
    real_ip = "set_real_ip_from 127.0.0.1; real_ip_header X-Real-IP;"
    site = Site(make_nginx, upstream, provider, http=real_ip, session_bind="ip")
    client = Client()
    site.login(client)
    assert status(site, client) == 200
    assert status(site, client, ("X-Real-IP", "127.0.0.1")) == 200
    assert status(site, client, ("X-Real-IP", "198.51.100.7")) == 401


def test_an_unbound_header_chooses_no_address(make_nginx, upstream, provider):
    site, client = Site(make_nginx, upstream, provider, session_bind="ip"), Client()
    site.login(client)
    assert status(site, client, ("X-Real-IP", "198.51.100.7")) == 200
    assert status(site, client, ("X-Forwarded-For", "198.51.100.7")) == 200


def test_facts_of_the_session(make_nginx, upstream, provider):
    site = Site(make_nginx, upstream, provider,
                session_request_headers="id audience subject timeout idling-timeout "
                                        "rolling-timeout absolute-timeout",
                session_response_headers="subject timeout", session_storage="shm",
                session_secret=SESSION_SECRET)
    client = Client()
    site.login(client)
    forged = [("Session-Subject", "admin"), ("session_id", "x"), ("Session-Timeout", "1")]
    response = client.get(site.url("/x"), [*XHR, *forged])
    assert response.status == 200
    headers = {n.lower(): v for n, v in response.json()["headers"]}
    assert headers["session-audience"] == "default"
    assert headers["session-subject"] == response.header("Session-Subject") == "alice"
    assert len(headers["session-id"]) == 12
    assert "session_id" not in headers
    left = {k: int(headers[f"session-{k}-timeout"]) for k in ("idling", "rolling", "absolute")}
    assert left["idling"] == 900
    assert 3500 < left["rolling"] <= 3600
    assert 86000 < left["absolute"] <= 86400
    assert int(headers["session-timeout"]) == 900
    assert int(response.header("Session-Timeout")) == 900
    assert response.header("Cache-Control") == "private, no-store"


def test_clients_cannot_forge_facts_anywhere_on_the_server(make_nginx, upstream, provider):
    body = (location("/in", protect(provider, session_request_headers="subject")
                     + f"proxy_pass {upstream.origin};")
            + location("/out", f"proxy_pass {upstream.origin};"))
    site = Site(make_nginx, upstream, provider, body=body)
    response = Client().get(site.url("/out"), [*XHR, ("Session-Subject", "admin")])
    assert response.status == 200
    assert "admin" not in response.text
