"""What a logout does at the provider: revoked tokens, and the way there and back."""

import threading
import time
from urllib.parse import parse_qsl, urljoin

import httpx
import pytest
from bench.client import FORM, NAVIGATION, XHR, Client
from bench.gateway import SESSION_SECRET, Site, protect
from bench.http_server import Answer
from bench.nginx import location
from bench.proc import wait_for

SAME = [h for h in NAVIGATION if h[0] != "Sec-Fetch-Site"] + [("Sec-Fetch-Site", "same-origin")]


@pytest.fixture(scope="module")
def site(make_nginx, upstream, op, make_redis):
    """One location for each way to log out."""
    common = {"logout_uri_suffix": "/logout", "logout_methods": "POST GET",
              "session_storage": "redis", "session_secret": SESSION_SECRET,
              "redis_port": make_redis().port}
    proxy = f"proxy_pass {upstream.origin};"
    blocks = []
    for name, settings in {
        "revoke": {"logout_revoke": "on", "timeout": "2s"},
        "refresh-only": {"logout_revoke": "on", "logout_revoke_access_token": "off"},
        "elsewhere": {"logout_revoke": "on",
                      "revocation_endpoint": f"{op.origin}/elsewhere/other-revoke"},
        "back": {"post_logout_uri": "/signed-out"},
        "back-home": {"post_logout_uri": "/signed-out-home", "logout_redirect_uri": "/bye"},
        "form": {"logout_post_arg": "logout"},
        "form-buffered": {"logout_post_arg": "logout"},
        "get-form": {"logout_post_arg": "logout", "logout_methods": "GET"},
        "any": {"logout_from": "any"},
        "same-site": {"logout_from": "same-site"},
    }.items():
        more = "client_body_buffer_size 1k;" if name == "form-buffered" else ""
        blocks.append(location(f"/{name}/", protect(op.provider(name), **{
            **common, "redirect_uri": f"/callback-{name}", **settings}) + proxy + more))
    blocks.append(location("= /bye", "return 200 bye;"))
    return Site(make_nginx, upstream, op.provider("revoke"), "\n".join(blocks))


def logged_in(site, name):
    client = Client()
    site.login(client, f"/{name}/page")
    assert site.echo(client, f"/{name}/page").bearer
    return client


def is_logged_in(site, client, name):
    return client.get(site.url(f"/{name}/page"), XHR).status == 200


def leave(site, client, name, headers=SAME):
    return client.request("POST", site.url(f"/{name}/logout"), headers, b"")


def revocations(provider, endpoint="revoke"):
    return [dict(r.form) for r in provider.requests if r.path.endswith(f"/{endpoint}")]


# ---- RFC 7009

def test_both_tokens_are_revoked(site, op):
    provider, client = op.provider("revoke"), logged_in(site, "revoke")
    bearer = site.echo(client, "/revoke/page").bearer
    before = len(revocations(provider))
    assert leave(site, client, "revoke").status == 303
    wait_for("the revocations", lambda: len(revocations(provider)) == before + 2)
    refresh, access = revocations(provider)[before:]
    assert refresh["token_type_hint"] == "refresh_token"
    assert refresh["token"].startswith("re-")
    assert access == {"token_type_hint": "access_token", "token": bearer}
    sent = provider.last("revoke")
    assert sent.header("Authorization").startswith("Basic ")
    assert sent.header("Content-Type") == "application/x-www-form-urlencoded"


def test_one_kind_alone(site, op):
    provider, client = op.provider("refresh-only"), logged_in(site, "refresh-only")
    leave(site, client, "refresh-only")
    wait_for("the revocation", lambda: revocations(provider))
    time.sleep(0.3)
    assert [r["token_type_hint"] for r in revocations(provider)] == ["refresh_token"]


def test_the_configured_endpoint(site, op):
    provider, client = op.provider("elsewhere"), logged_in(site, "elsewhere")
    leave(site, client, "elsewhere")
    wait_for("the revocations", lambda: len(revocations(provider, "other-revoke")) == 2)
    assert revocations(provider) == []


def test_off_by_default(site, op):
    client = logged_in(site, "back")
    leave(site, client, "back")
    time.sleep(0.3)
    assert revocations(op.provider("back")) == []


@pytest.mark.parametrize("failure", ["hangs", "closes", "503", "400"])
def test_a_dead_provider_delays_no_logout(site, op, failure):
    provider, client = op.provider("revoke"), logged_in(site, "revoke")
    provider.override["revoke"] = {
        "hangs": Answer(hang=True), "closes": Answer(close=True), "503": Answer(503),
        "400": Answer(400, b'{"error": "invalid_request"}')}[failure]
    log, before = site.nginx.view(), len(revocations(provider))
    try:
        start = time.monotonic()
        assert leave(site, client, "revoke").status == 303
        took = time.monotonic() - start
        assert took < 1.5, "no time for an answer that takes oidc_timeout"
        wait_for("the log", lambda: log.reasons().count("revocation_failed") == 2, 20)
        assert len(revocations(provider)) - before == (2 if failure == "400" else 4)
    finally:
        provider.override.clear()
    assert not is_logged_in(site, client, "revoke")


# ---- there and back

def end_session(response):
    assert response.status in (302, 303), response
    return dict(parse_qsl(response.location.partition("?")[2]))


@pytest.mark.parametrize("name", ["back", "back-home"])
def test_there_and_back(site, op, name):
    provider, client = op.provider(name), logged_in(site, name)
    response = leave(site, client, name)
    asked = end_session(response)
    where = {"back": "/signed-out", "back-home": "/signed-out-home"}[name]
    assert asked["post_logout_redirect_uri"] == site.url(where)
    assert len(asked["state"]) >= 22
    back = Client().navigate(response.location)
    assert back.location == f"{site.url(where)}?state={asked['state']}"
    arrived = client.navigate(back.location)
    if name == "back-home":
        assert arrived.status == 302
        assert urljoin(site.origin, arrived.location) == site.url("/bye")
    else:
        assert (arrived.status, "Signed out" in arrived.text) == (200, True)
    assert arrived.header("Cache-Control") == "private, no-store"
    assert client.cookies() == [], "session and logout cookies are gone"
    again = client.navigate(back.location)
    assert again.status == 400
    assert provider.violations == []


def test_what_belongs_to_no_logout_is_refused(site):
    client = logged_in(site, "back")
    state = end_session(leave(site, client, "back"))["state"]
    log = site.nginx.view()
    for query in ("", "?state=", f"?state={state}x", f"?state={state}&state={state}", "?state=a"):
        assert client.navigate(site.url("/signed-out" + query)).status == 400, query
    assert Client().navigate(site.url(f"/signed-out?state={state}")).status == 400
    assert client.request("POST", site.url("/signed-out"), [*SAME, FORM],
                          f"state={state}".encode()).status == 400
    assert log.wait_reason(["logout_state_invalid"])
    assert state not in log.text()
    # Another location's, and a longer path, are not this one's.
    assert client.navigate(site.url(f"/signed-out-home?state={state}")).status == 400
    assert client.navigate(site.url(f"/signed-out/?state={state}")).status == 404
    assert client.navigate(site.url(f"/signed-out?state={state}")).status == 200


def test_the_logout_cookie_reaches_no_upstream(site):
    client = logged_in(site, "back")
    leave(site, client, "back")
    assert len(client.cookies()) == 1
    site.login(client, "/back/page")
    assert site.echo(client, "/back/page").header("Cookie") is None


# ---- by the body

def post(site, client, name, body, headers=(*SAME, FORM)):
    return client.request("POST", site.url(f"/{name}/page"), headers, body)


def test_an_argument_of_the_body(site):
    client = logged_in(site, "form")
    response = post(site, client, "form", b"a=1&logout=1")
    assert response.location.startswith(f"{site.provider.issuer.replace('revoke', 'form')}/end_")
    assert not is_logged_in(site, client, "form")


BODIES = {
    "small": b"a=1&b=%20",
    "one buffer": b"a=" + b"x" * 900,
    "several buffers": b"a=" + b"x" * 30000,
    "the limit": b"a=" + b"y" * (64 * 1024 - 2),
    "above the limit": b"logout=1&a=" + b"y" * (64 * 1024),
    "no form at all": b"%zz&logout=1",
}


@pytest.mark.parametrize("name", ["form", "form-buffered"])
@pytest.mark.parametrize("body", BODIES)
def test_the_upstream_gets_every_other_body(site, name, body):
    client = logged_in(site, name)
    response = post(site, client, name, BODIES[body])
    assert response.status == 200, response
    echo = response.json()
    assert echo["method"] == "POST"
    assert echo["body"].encode() == BODIES[body]
    assert is_logged_in(site, client, name)


def test_a_body_that_comes_slowly(site):
    """In pieces, while the request waits in the access phase."""
    from bench.client import Wire
    client = logged_in(site, "form")
    body = b"a=" + b"z" * 5000
    head = (f"POST /form/page HTTP/1.1\r\nHost: 127.0.0.1:{site.port}\r\n"
            f"Cookie: {client.cookie_header(site.url('/form/page'))}\r\n"
            "Content-Type: application/x-www-form-urlencoded\r\nSec-Fetch-Site: same-origin\r\n"
            f"Content-Length: {{}}\r\n\r\n")
    with Wire(site.port) as wire:  # a kept connection: one request after the other
        for text in (body, body):
            wire.send(head.format(len(text)).encode() + text[:10])
            for start in range(10, len(text), 1700):
                time.sleep(0.05)
                wire.send(text[start:start + 1700])
            answer = wire.receive(method="POST")
            assert answer.status == 200
            assert answer.json()["body"].encode() == text
        wire.send(head.format(8).encode() + b"logou")
        time.sleep(0.1)
        wire.send(b"t=1")
        assert wire.receive(method="POST").status == 303
    assert not is_logged_in(site, client, "form")


def test_a_client_that_leaves_in_its_body(site):
    from bench.client import Wire
    client = logged_in(site, "form")
    head = (f"POST /form/page HTTP/1.1\r\nHost: 127.0.0.1:{site.port}\r\n"
            f"Cookie: {client.cookie_header(site.url('/form/page'))}\r\n"
            "Content-Type: application/x-www-form-urlencoded\r\nContent-Length: 20\r\n\r\nlogout=")
    for _ in range(20):
        with Wire(site.port) as wire:
            wire.send(head.encode())
            time.sleep(0.01)
    assert is_logged_in(site, client, "form")


NOT_READ = {
    "json": ("Content-Type", "application/json"),
    "multipart": ("Content-Type", "multipart/form-data; boundary=x"),
    "no type": ("X-Other", "1"),
}


@pytest.mark.parametrize("kind", NOT_READ)
def test_what_is_no_form_is_no_logout(site, kind):
    client = logged_in(site, "form")
    response = post(site, client, "form", b"logout=1", (*SAME, NOT_READ[kind]))
    assert response.status == 200 and response.json()["body"] == "logout=1"


def test_a_chunked_form_is_no_logout(site):
    client = logged_in(site, "form")
    response = post(site, client, "form", b"8\r\nlogout=1\r\n0\r\n\r\n",
                    (*SAME, FORM, ("Transfer-Encoding", "chunked")))
    assert response.status == 200 and response.json()["body"] == "logout=1"


def test_a_method_that_logs_nobody_out(site):
    client = logged_in(site, "get-form")
    response = post(site, client, "get-form", b"logout=1")
    assert response.status == 200 and response.json()["body"] == "logout=1"
    assert is_logged_in(site, client, "get-form")


def test_another_site_cannot_by_the_body(site):
    client = logged_in(site, "form")
    headers = (*NAVIGATION[:3], ("Sec-Fetch-Site", "cross-site"), FORM)
    assert post(site, client, "form", b"logout=1", headers).status == 403
    assert is_logged_in(site, client, "form")


def test_http2(make_nginx, upstream, https_op, ca, certificate):
    provider = https_op.provider("h2-form")
    site = Site(make_nginx, upstream, provider, certificate=certificate, http2=True,
                host="localhost", ssl_trusted_certificate=ca.path, logout_post_arg="logout")
    client, path = Client(ca.client_context()), "/h2"
    site.login(client, path, ca.client_context())
    headers = {**dict(SAME), "Content-Type": FORM[1], "Cookie": client.cookie_header(site.url(path))}
    with httpx.Client(http2=True, verify=ca.client_context()) as h2:
        for body in (b"a=1", b"a=" + b"x" * 20000, b"a=" + b"y" * 60000):
            answer = h2.post(site.url(path), content=body, headers=headers)
            assert (answer.http_version, answer.status_code) == ("HTTP/2", 200)
            assert answer.json()["body"].encode() == body
        assert h2.post(site.url(path), content=b"logout=1", headers=headers).status_code == 303
    assert site.asks_for_login(client, path)


# ---- oidc_logout_from

@pytest.mark.parametrize("name,who,status", [
    ("any", "cross-site", 303), ("any", "same-site", 303),
    ("same-site", "same-site", 303), ("same-site", "cross-site", 403)])
def test_logout_from(site, name, who, status):
    client = logged_in(site, name)
    headers = [*SAME[:-1], ("Sec-Fetch-Site", who)]
    assert leave(site, client, name, headers).status == status
    assert is_logged_in(site, client, name) == (status == 403)


# ---- two session cookies

def test_both_sessions_of_a_conflict_end(site):
    first, second = logged_in(site, "back"), logged_in(site, "back")
    url = site.url("/back/page")
    both = f"{first.cookie_header(url)}; {second.cookie_header(url)}"
    refused = Client().request("GET", url, [*XHR, ("Cookie", both)])
    assert refused.status == 401
    response = Client().request("POST", site.url("/back/logout"), [*SAME, ("Cookie", both)], b"")
    assert response.status == 303, response
    assert not is_logged_in(site, first, "back")
    assert not is_logged_in(site, second, "back")


def test_many_logouts_by_form_at_once(site):
    """Each in its own session: bodies and sessions are not mixed up."""
    clients = [logged_in(site, "form") for _ in range(10)]
    statuses = {}

    def one(number, client):
        body = b"logout=1" if number % 2 else b"a=%d" % number
        statuses[number] = post(site, client, "form", body).status
    threads = [threading.Thread(target=one, args=item) for item in enumerate(clients)]
    [t.start() for t in threads]
    [t.join() for t in threads]
    assert statuses == {n: 303 if n % 2 else 200 for n in range(10)}
    assert [is_logged_in(site, c, "form") for c in clients] == [n % 2 == 0 for n in range(10)]
