"""oidc_status: zones and what became of requests, as a page, as JSON and for Prometheus."""

import re

import pytest
from bench.client import XHR, Client
from bench.gateway import Site, protect
from bench.nginx import Nginx, location, server
from bench.proc import free_port, wait_for


def body_of(upstream, provider, **settings):
    return "\n".join([
        location("/", protect(provider, **settings) + f"proxy_pass {upstream.origin};"),
        *(location(f"= /{name}", f"oidc_status {name};") for name in ("html", "json", "prometheus"))])


@pytest.fixture
def site(make_nginx, upstream, op):
    provider = op.provider("status")
    return Site(make_nginx, upstream, provider, body_of(upstream, provider), options={"workers": 2})


def status(site) -> dict:
    response = Client().get(site.url("/json"))
    assert response.status == 200 and response.header("Cache-Control") == "no-store"
    return response.json()


def test_counts_of_all_workers_outlive_a_reload(site):
    client = Client()
    site.login(client)
    for _ in range(30):
        assert client.get(site.url("/x"), XHR).status == 200
    for cookie in client.cookies():
        if "session" in cookie.name:
            cookie.value = "A" + cookie.value[1:] if cookie.value[0] != "A" else "B" + cookie.value[1:]
    for _ in range(3):
        assert client.get(site.url("/x"), XHR).status == 401
    assert Client().get(site.url("/x"), XHR).status == 401
    # Requests are counted at their end, which may be after the answer.
    wait_for("all counted", lambda: status(site)["requests"]["session"] >= 30
             and status(site)["requests"]["denied"] >= 4)
    seen = status(site)
    assert seen["requests"] == {"session": 30, "redirect": 1, "login": 1, "denied": 4, "logout": 0,
                                "anonymous": 0, "bearer": 0, "introspection": 0, "userinfo": 0,
                                "refresh_token": 0, "password": 0, "client_credentials": 0}
    assert seen["reasons"] == {"session_invalid": 3, "unauthenticated": 1}
    assert seen["zones"]["oidc"]["entries"] >= 1
    assert 0 < seen["zones"]["oidc"]["used"] < 1
    assert {"oidc_shared", "oidc_states"} < set(seen["zones"])
    site.nginx.reload()
    assert status(site)["requests"] == seen["requests"]


def test_page_and_prometheus(site):
    page = Client().get(site.url("/html"))
    assert page.status == 200 and page.header("Content-Type").startswith("text/html")
    assert "<th scope=\"row\">oidc</th>" in page.text
    text = Client().get(site.url("/prometheus"))
    assert text.header("Content-Type").startswith("text/plain; version=0.0.4")
    sample = re.compile(r"[a-z_]+\{[a-z]+=\"[\w-]+\"\} \d+")
    samples = [line for line in text.text.splitlines() if not line.startswith("#")]
    assert len(samples) > 20 and all(sample.fullmatch(line) for line in samples)


def test_evictions_are_counted(make_nginx, upstream, op):
    """And warned of: who was logged out by a zone that is too small wants to know."""
    provider = op.provider("evictions")
    site = Site(make_nginx, upstream, provider,
                body_of(upstream, provider, session_storage="shm:small"),
                http="oidc_session_zone small 64k;\n")
    log = site.nginx.view()
    for _ in range(70):
        site.login(Client())
    zone = status(site)["zones"]["small"]
    assert zone["evicted_total"] > 0 and zone["used"] > 0.8, zone
    assert "live sessions were evicted" in log.text()


def test_only_to_be_read(site):
    for method in ("POST", "PUT", "DELETE"):
        response = Client().request(method, site.url("/json"), [])
        assert response.status == 405 and response.header("Allow") == "GET, HEAD"
    assert Client().request("HEAD", site.url("/json"), []).body == b""


def test_where_nothing_is_protected(make_nginx):
    port = free_port()
    make_nginx(server(port, location("/", "oidc_status json;")), port)
    assert Client().get(f"http://127.0.0.1:{port}/").json() == {
        "zones": {}, "requests": {}, "reasons": {}}


@pytest.mark.parametrize(("lines", "words"), [
    ("oidc_status xml;", ["oidc_status", "xml", "html, json or prometheus"]),
    ("oidc_status json; oidc_session_admin public;", ["the content of this location"]),
])
def test_refused(settings, lines, words):
    code, message = Nginx(settings, "config").check(server(8999, location("/", lines), "gw.example"))
    assert code != 0 and all(word in message for word in words), message
