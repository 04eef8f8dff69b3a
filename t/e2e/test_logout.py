"""Logout: local, at the provider, and never by another site."""

import threading
import time
from urllib.parse import parse_qsl, urljoin

import pytest
from bench.client import NAVIGATION, Client, Cookie
from bench.forms import forms
from bench.gateway import SESSION_SECRET, Site, protect
from bench.jose import claims_of
from bench.nginx import location

SAME = [h for h in NAVIGATION if h[0] != "Sec-Fetch-Site"] + [("Sec-Fetch-Site", "same-origin")]


def origin_header(value):
    return [("Accept", "text/html"), ("Origin", value)]


@pytest.fixture(scope="module", params=["shm", "redis"])
def site(request, make_nginx, upstream, op, make_redis):
    where = {"session_storage": "shm"}
    if request.param == "redis":
        where = {"session_storage": "redis", "session_secret": SESSION_SECRET,
                 "redis_port": make_redis().port}
    provider = op.provider(f"main-{request.param}")
    local = op.provider(f"local-{request.param}")
    local.edit_metadata = lambda m: {k: v for k, v in m.items() if k != "end_session_endpoint"}
    proxy = f"proxy_pass {upstream.origin};"
    common = {"logout_uri_suffix": "/logout", "logout_methods": "POST DELETE GET", **where}
    return Site(make_nginx, upstream, provider, "\n".join([
        location("/", protect(provider, logout_redirect_uri="/bye", **common) + proxy),
        location("/local/", protect(
            local, redirect_uri="/callback-local", logout_redirect_uri="/bye", **common) + proxy),
        location("/post-only/", protect(provider, redirect_uri="/callback-post", **{
            **common, "logout_methods": "POST"}) + proxy),
        location("= /bye", "return 200 bye;"),
    ]))


def logged_in(site, path="/page"):
    client = Client()
    site.login(client, path)
    assert site.echo(client, path).bearer
    return client


def end_session_arguments(response):
    return dict(parse_qsl(response.location.partition("?")[2]))


def test_rp_initiated(site):
    client = logged_in(site)
    jar = dict(client.jar)
    response = client.request("POST", site.url("/app/logout"), SAME, b"")
    assert response.status in (302, 303), response
    assert response.location.startswith(f"{site.provider.issuer}/end_session?")
    sent = end_session_arguments(response)
    assert sent["client_id"] == "gateway"
    assert claims_of(sent["id_token_hint"])["sub"] == "alice"
    assert sent["post_logout_redirect_uri"].startswith(site.origin)
    # Back from the provider, the browser ends where the configuration says.
    back = Client().navigate(response.location)
    arrived = client.navigate(back.location)
    for _ in range(3):
        if arrived.status in (302, 303):
            arrived = client.navigate(urljoin(site.origin, arrived.location))
    assert (arrived.status, arrived.body) == (200, b"bye"), arrived
    # The session is gone, also for a copy of the cookie.
    assert site.asks_for_login(client, "/page")
    thief = Client()
    thief.jar = jar
    assert site.asks_for_login(thief, "/page")


def test_cookie_is_deleted_with_the_attributes_it_was_set_with(site):
    client = logged_in(site)
    name = next(c.name for c in client.cookies() if "session" in c.name)
    before = next(c for c in client.cookies() if c.name == name).attributes
    response = client.request("POST", site.url("/app/logout"), SAME, b"")
    text = next(c for c in response.all("Set-Cookie") if c.startswith(name + "="))
    after = Cookie.parse(text)
    assert after.expired and after.value == ""
    for attribute in ("path", "domain", "secure", "httponly", "samesite"):
        assert before.get(attribute) == after.attributes.get(attribute)


def test_local_without_end_session_endpoint(site):
    client = logged_in(site, "/local/page")
    response = client.request("GET", site.url("/local/logout"), SAME)
    assert response.status in (302, 303), response
    assert urljoin(site.origin, response.location) == site.url("/bye")
    assert client.navigate(site.url("/local/page")).status in (302, 303)


CROSS = {
    "Sec-Fetch-Site cross-site": [*SAME[:-1], ("Sec-Fetch-Site", "cross-site")],
    "Sec-Fetch-Site same-site": [*SAME[:-1], ("Sec-Fetch-Site", "same-site")],
    "foreign Origin": origin_header("http://evil.test"),
    "Origin of another port": origin_header("http://127.0.0.1:1"),
    "foreign Referer": [("Accept", "text/html"), ("Referer", "http://evil.test/a")],
    "both, contradicting": [*SAME[:-1], ("Sec-Fetch-Site", "cross-site"),
                            ("Origin", "http://127.0.0.1")],
}


@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize("name", CROSS)
def test_never_cross_site(site, name, method):
    client = logged_in(site)
    log, jar = site.nginx.view(), dict(client.jar)
    response = client.request(method, site.url("/app/logout"), CROSS[name],
                              b"" if method == "POST" else None)
    assert response.status == 403, response
    assert log.wait_reason(["logout_cross_site"])
    assert client.jar == jar
    assert site.echo(client, "/page").bearer


def test_prefetch_never_logs_out(site):
    client = logged_in(site)
    client.request("GET", site.url("/app/logout"), [*SAME, ("Sec-Purpose", "prefetch")])
    assert site.echo(client, "/page").bearer


@pytest.mark.parametrize("headers", [[("Accept", "text/html")], origin_header("null")])
def test_unknown_origin_gets_a_confirmation_page(site, headers):
    client = logged_in(site)
    page = client.request("GET", site.url("/app/logout"), headers)
    assert page.status == 200, page
    assert "frame-ancestors 'none'" in page.header("Content-Security-Policy")
    assert site.echo(client, "/page").bearer
    form = forms(page.body, page.url)[0]
    done = client.request(form.method.upper(), form.action, [*SAME, (
        "Content-Type", "application/x-www-form-urlencoded")], form.encode())
    assert done.status in (302, 303), done
    assert site.asks_for_login(client, "/page")


def test_confirmation_of_another_session_does_not_count(site):
    attacker, victim = logged_in(site), logged_in(site)
    page = attacker.request("GET", site.url("/app/logout"), [("Accept", "text/html")])
    form = forms(page.body, page.url)[0]
    victim.request("POST", form.action, [("Accept", "text/html"), (
        "Content-Type", "application/x-www-form-urlencoded")], form.encode())
    assert site.echo(victim, "/page").bearer


def test_methods(site):
    client = Client()
    site.login(client, "/post-only/page")
    site.echo(client, "/post-only/page")
    # GET is no logout there: the request goes to the upstream as any other.
    assert site.echo(client, "/post-only/logout").target == "/post-only/logout"
    assert client.request("POST", site.url("/post-only/logout"), SAME, b"").status in (302, 303)


def test_without_session(site):
    response = Client().request("POST", site.url("/app/logout"), SAME, b"")
    assert response.status in (302, 303, 401), response
    assert site.upstream.seen("/app/") == []


def test_logout_reaches_every_worker(make_nginx, upstream, op):
    site = Site(make_nginx, upstream, op.provider("workers"), options={"workers": 4},
                logout_uri_suffix="/logout")
    client = Client()
    site.login(client)
    for _ in range(20):  # every worker has the session in its cache
        assert site.echo(client).bearer
    thief = Client()
    thief.jar = dict(client.jar)
    client.request("POST", site.url("/logout"), SAME, b"")
    for _ in range(20):
        assert site.asks_for_login(thief)


def test_logout_beats_a_refresh_in_flight(make_nginx, upstream, op):
    provider = op.provider("in-flight")
    provider.token_life = 4
    site = Site(make_nginx, upstream, provider, logout_uri_suffix="/logout")
    client = Client()
    site.login(client)
    thief = Client()
    thief.jar = dict(client.jar)
    provider.override["token"] = lambda r: time.sleep(1.0)
    time.sleep(4.2)
    waiting = threading.Thread(target=lambda: Client.get(thief, site.url("/x")))
    waiting.start()
    time.sleep(0.3)
    client.request("POST", site.url("/logout"), SAME, b"")
    waiting.join()
    provider.override.clear()
    again = Client()
    again.jar = dict(thief.jar)
    assert site.asks_for_login(again)
