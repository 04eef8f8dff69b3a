"""Who is sent to the login and who gets a 401."""

import pytest
from bench.client import FORM, NAVIGATION, XHR, Client
from bench.gateway import Site, protect
from bench.nginx import location


@pytest.fixture(scope="module")
def site(make_nginx, upstream, op):
    provider = op.provider("main")

    def block(name, **settings):
        return location(f"/{name}/", protect(provider, redirect_uri=f"/callback-{name}", **settings)
                        + f"proxy_pass {upstream.origin};")
    return Site(make_nginx, upstream, provider, "\n".join([
        block("auto"), block("redirect", unauthenticated="redirect"),
        block("deny", unauthenticated="deny"),
        block("pass", unauthenticated="pass", upstream_header="X-User sub")]))


HTML = ("Accept", "text/html,application/xhtml+xml,*/*;q=0.8")
NAVIGATIONS = {
    "with Sec-Fetch": ("GET", NAVIGATION),
    "HEAD": ("HEAD", NAVIGATION),
    "old browser": ("GET", [HTML]),
    "cross-site link": ("GET", [("Sec-Fetch-Mode", "navigate"), ("Sec-Fetch-Dest", "document"),
                                ("Sec-Fetch-Site", "cross-site"), HTML]),
}
OTHERS = {
    "XHR": ("GET", XHR),
    "fetch with Accept html": ("GET", [HTML, ("Sec-Fetch-Mode", "cors"),
                                       ("Sec-Fetch-Dest", "empty")]),
    "old XHR": ("GET", [HTML, ("X-Requested-With", "XMLHttpRequest")]),
    "curl": ("GET", [("Accept", "*/*")]),
    "no Accept": ("GET", []),
    "API": ("GET", [("Accept", "application/json")]),
    "image": ("GET", [("Accept", "image/avif,image/*"), ("Sec-Fetch-Mode", "no-cors"),
                      ("Sec-Fetch-Dest", "image")]),
    "iframe": ("GET", [HTML, ("Sec-Fetch-Mode", "navigate"), ("Sec-Fetch-Dest", "iframe")]),
    "POST navigation": ("POST", [*NAVIGATION, FORM]),
    "PUT": ("PUT", XHR),
    "DELETE": ("DELETE", NAVIGATION),
    "OPTIONS, no preflight": ("OPTIONS", []),
    "WebSocket": ("GET", [("Upgrade", "websocket"), ("Connection", "Upgrade"),
                          ("Sec-WebSocket-Version", "13"),
                          ("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ==")]),
    "upgrade with Accept html": ("GET", [HTML, ("Upgrade", "websocket"),
                                         ("Connection", "Upgrade")]),
    "event stream": ("GET", [("Accept", "text/event-stream"), ("Sec-Fetch-Mode", "cors"),
                             ("Sec-Fetch-Dest", "empty")]),
    "prefetch": ("GET", [*NAVIGATION, ("Sec-Purpose", "prefetch")]),
    "prerender": ("GET", [*NAVIGATION, ("Sec-Purpose", "prefetch;prerender")]),
    "service worker": ("GET", [("Sec-Fetch-Mode", "same-origin"),
                               ("Sec-Fetch-Dest", "serviceworker"), HTML]),
}


@pytest.mark.parametrize("name", NAVIGATIONS)
def test_navigations_are_redirected(site, name):
    method, headers = NAVIGATIONS[name]
    response = Client().request(method, site.url("/auto/page"), headers)
    assert response.status in (302, 303), response
    assert "no-store" in response.header("Cache-Control")
    assert len(response.all("Set-Cookie")) == 1


@pytest.mark.parametrize("name", OTHERS)
def test_everything_else_is_refused(site, name):
    method, headers = OTHERS[name]
    client, log = Client(), site.nginx.view()
    body = b"a=b" if method in ("POST", "PUT") else None
    response = client.request(method, site.url("/auto/page"), headers, body)
    assert response.status == 401, response
    assert response.header("WWW-Authenticate"), response
    assert "no-store" in response.header("Cache-Control")
    assert response.all("Set-Cookie") == [] and client.jar == {}
    assert response.header("Location") is None
    assert site.upstream.seen("/auto/") == []
    assert log.reasons() in ([], ["unauthenticated"])


def test_api_client_gets_json_and_browser_gets_html(site):
    response = Client().get(site.url("/auto/page"))
    assert response.header("Content-Type").startswith("application/json")
    assert "unauth" in str(response.json()).lower()
    response = Client().request("POST", site.url("/auto/page"), [*NAVIGATION, FORM], b"")
    assert response.header("Content-Type").startswith("text/html")


def test_redirect_sends_everyone(site):
    for method, headers in [*NAVIGATIONS.values(), ("GET", XHR), ("GET", [])]:
        response = Client().request(method, site.url("/redirect/page"), headers)
        assert response.status in (302, 303), response


def test_deny_sends_nobody(site):
    for method, headers in [*NAVIGATIONS.values(), *OTHERS.values()]:
        if method in ("GET", "HEAD"):
            response = Client().request(method, site.url("/deny/page"), headers)
            assert response.status == 401, response
            assert response.all("Set-Cookie") == []


def test_pass_lets_through_without_identity(site):
    headers = [*XHR, ("X-User", "admin"), ("x_user", "admin"), ("Authorization", "Bearer forged")]
    response = Client().get(site.url("/pass/page"), headers)
    assert response.status == 200, response
    seen = site.upstream.requests[-1]
    assert seen.header("X-User") is None and seen.header("Authorization") is None
    assert not [n for n, _ in seen.headers if n.lower().replace("_", "-") == "x-user"]


def test_pass_with_a_session_has_the_identity(site):
    client = Client()
    site.login(client, "/redirect/page")
    echo = site.echo(client, "/pass/page")
    assert echo.header("X-User") in ("alice", None)  # another identity's session does not count
