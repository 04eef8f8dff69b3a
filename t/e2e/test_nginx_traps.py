"""nginx's own ways around an access handler: internal redirects, subrequests, satisfy, order."""

import base64
import re

import httpx
import pytest
from bench.client import NAVIGATION, XHR, Client, Wire
from bench.gateway import Site, protect
from bench.http_server import Answer
from bench.login import at_provider, begin, deliver, hand_over
from bench.nginx import location
from bench.proc import make_dir

PASSWORDS = "bob:{PLAIN}bob\n"


@pytest.fixture(scope="module")
def site(make_nginx, upstream, op):
    root = make_dir("root")
    for name, text in {
            "index.html": "the index", "fallback.html": "the fallback", "401.html": "custom 401",
            "digits.txt": "0123456789", "page.html": "the page", "dir/index.html": "the dir's index",
            "ssi.html": '[<!--# include virtual="/app/included" -->]',
            "secret/file.txt": "accelerated secret"}.items():
        (root / name).parent.mkdir(exist_ok=True)
        (root / name).parent.chmod(0o755)
        (root / name).write_text(text)
    (root / "passwords").write_text(PASSWORDS)
    provider = op.provider("main")
    proxy = f"proxy_pass {upstream.origin};"
    on = protect(provider, upstream_header="X-User sub")
    body = [
        f"root {root};",
        location("/app/", on + proxy),
        location("/", on + "index index.html;"),
        location("/try/", on + "try_files $uri /fallback.html;"),
        location("/named/", on + "try_files $uri @app;"),
        location("@app", on + proxy),
        location("/missing/", on + "error_page 404 = @app; root /nonexistent;"),
        location("/custom401/", on + "error_page 401 /401.html;" + proxy),
        location("= /401.html", "internal;"),
        location("/protected-error/", "oidc off; error_page 404 /app/error; root /nonexistent;"),
        location("/satisfy/", "satisfy any; auth_basic realm; auth_basic_user_file passwords;"
                 .replace("passwords", str(root / "passwords")) + on + proxy),
        location("/denied/", on + "deny all;" + proxy),
        location("/allowed/", on + "allow 127.0.0.1; deny all;" + proxy),
        location("/ssi.html", "oidc off; ssi on;"),
        location("/page.html", "oidc off; add_before_body /app/before; add_after_body /app/after;"),
        location("/sliced/", on + "slice 4; proxy_set_header Range $slice_range;" + proxy),
        location("/ssi-inside/", on + f"alias {root}/; ssi on;"),
        location("/mirrored/", "oidc off; mirror /app/mirror;" + proxy),
        location("/asks/", "oidc off; auth_request /app/check;" + proxy),
        location("/accel/", on + proxy),
        location("/files/", on + f"internal; alias {root}/secret/;"),
        location("/rewritten/", "rewrite ^/rewritten/(.*)$ /app/$1 last;"),
        location("/limited/", on + "limit_req zone=per_session burst=50 nodelay;" + proxy),
        location("/websocket/", on + "proxy_http_version 1.1; proxy_set_header Upgrade "
                 "$http_upgrade; proxy_set_header Connection upgrade;" + proxy),
    ]
    return Site(make_nginx, upstream, provider, "\n".join(body),
                http="limit_req_zone $oidc_session zone=per_session:1m rate=1000r/s;")


@pytest.fixture(scope="module")
def alice(site):
    client = Client()
    site.login(client, "/app/")
    return client


def test_index(site, alice):
    for path, body in (("/", b"the index"), ("/dir/", b"the dir's index")):
        assert alice.navigate(site.url(path)).body == body
        response = Client().navigate(site.url(path))
        assert response.status in (302, 303) and body not in response.body
        client = Client()
        assert site.login(client, path).location.removeprefix(site.origin) == path


def test_try_files(site, alice):
    assert alice.navigate(site.url("/try/nothing")).body == b"the fallback"
    assert Client().navigate(site.url("/try/nothing")).status in (302, 303)
    assert Client().get(site.url("/try/nothing")).status == 401


@pytest.mark.parametrize("path", ["/named/x?a=b", "/missing/x?a=b"])
def test_named_locations(site, alice, path):
    headers = [*NAVIGATION, ("X-User", "admin"), ("Authorization", "Bearer forged")]
    response = alice.request("GET", site.url(path), headers)
    assert response.status == 200, response
    seen = site.upstream.requests[-1]
    assert seen.target == path
    assert seen.all("X-User") == ["alice"]
    assert len(seen.all("Authorization")) == 1 and "forged" not in seen.header("Authorization")
    count = len(site.upstream.requests)
    assert Client().request("GET", site.url(path), headers).status in (302, 303)
    assert len(site.upstream.requests) == count


def test_error_page_for_401(site):
    response = Client().get(site.url("/custom401/x"))
    assert (response.status, response.body) == (401, b"custom 401")


def test_error_page_into_a_protected_location_starts_no_login(site):
    count = len(site.upstream.requests)
    response = Client().navigate(site.url("/protected-error/x"))
    assert response.status in (401, 403, 404), response
    assert response.all("Set-Cookie") == []
    assert len(site.upstream.requests) == count


def basic(user, password):
    return ("Authorization", "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode())


def test_satisfy_any(site, alice):
    assert alice.navigate(site.url("/satisfy/x")).status == 200
    response = Client().request("GET", site.url("/satisfy/x"),
                                [*XHR, basic("bob", "bob"), ("X-User", "admin")])
    assert response.status == 200, response
    assert site.upstream.requests[-1].header("X-User") is None
    count = len(site.upstream.requests)
    for headers in ([*XHR], [*XHR, basic("bob", "wrong")]):
        assert Client().request("GET", site.url("/satisfy/x"), headers).status == 401
    # The module is asked last, so it may send a browser to log in.
    assert site.asks_for_login(Client(), "/satisfy/x")
    assert len(site.upstream.requests) == count


def test_deny_comes_before_a_login(site, alice):
    for client in (alice, Client()):
        response = client.navigate(site.url("/denied/x"))
        assert response.status == 403, response
        assert response.all("Set-Cookie") == []
    assert alice.navigate(site.url("/allowed/x")).status == 200
    assert Client().navigate(site.url("/allowed/x")).status in (302, 303)


def test_ssi_into_a_protected_location(site, alice):
    """The page is open, its include is not: whoever asks, the upstream sees nothing of it."""
    for client in (Client(), alice):
        count = len(site.upstream.requests)
        response = client.request("GET", site.url("/ssi.html"), [*XHR, ("X-User", "admin")])
        assert response.status == 200
        assert b"upstream" not in response.body
        assert len(site.upstream.requests) == count


def test_addition_of_a_protected_location(site, alice):
    for client in (Client(), alice):
        response = client.request("GET", site.url("/page.html"), [*XHR, ("X-User", "admin")])
        assert response.status == 200
        assert response.body.count(b"the page") == 1 and b"upstream" not in response.body
    assert site.upstream.seen("/app/before") == [] and site.upstream.seen("/app/after") == []


def test_slices_of_what_was_granted(site, alice):
    digits = b"0123456789"

    def part(request):
        first, last = map(int, re.fullmatch(r"bytes=(\d+)-(\d+)", request.header("Range")).groups())
        body = digits[first:last + 1]
        return Answer(206, body, headers=(
            ("Content-Range", f"bytes {first}-{first + len(body) - 1}/{len(digits)}"),))

    site.upstream.answers["/sliced/digits"] = part
    response = alice.request("GET", site.url("/sliced/digits"), [*NAVIGATION, ("X-User", "admin")])
    assert (response.status, response.body) == (200, digits)
    asked = site.upstream.seen("/sliced/digits")
    assert len(asked) == 3
    assert [each.all("X-User") for each in asked] == [["alice"]] * 3
    assert Client().request("GET", site.url("/sliced/digits"), XHR).status == 401
    assert len(site.upstream.seen("/sliced/digits")) == 3


def test_ssi_inside_what_was_granted(site, alice):
    response = alice.request("GET", site.url("/ssi-inside/ssi.html"),
                             [*NAVIGATION, ("X-User", "admin")])
    assert response.status == 200, response
    assert site.upstream.requests[-1].path == "/app/included"
    assert site.upstream.requests[-1].all("X-User") == ["alice"]


def test_mirror_into_a_protected_location(site, alice):
    for client in (Client(), alice):
        client.request("GET", site.url("/mirrored/x"), [*XHR, ("X-User", "admin")])
    assert site.upstream.seen("/app/mirror") == []


def test_auth_request_of_a_protected_location(site, alice):
    for client in (Client(), alice):
        response = client.request("GET", site.url("/asks/x"), [*XHR, ("X-User", "admin")])
        assert response.status in (401, 403), response
    assert site.upstream.seen("/app/check") == [] and site.upstream.seen("/asks/") == []


def test_accel_redirect(site, alice):
    site.upstream.answers["/accel/file"] = Answer(headers=(("X-Accel-Redirect",
                                                            "/files/file.txt"),))
    assert alice.navigate(site.url("/accel/file")).body == b"accelerated secret"
    assert Client().navigate(site.url("/accel/file")).status in (302, 303)
    assert alice.navigate(site.url("/files/file.txt")).status == 404


def test_rewrite(site, alice):
    assert alice.navigate(site.url("/rewritten/x?a=%2F")).status == 200
    client = Client()
    response = site.login(client, "/rewritten/x?a=%2F")
    assert response.location.removeprefix(site.origin) == "/rewritten/x?a=%2F"


def test_head_and_range(site, alice):
    response = alice.request("HEAD", site.url("/digits.txt"), NAVIGATION)
    assert (response.status, response.body) == (200, b"")
    assert response.header("Content-Length") == "10"
    response = alice.request("GET", site.url("/digits.txt"), [*NAVIGATION, ("Range", "bytes=2-4")])
    assert (response.status, response.body) == (206, b"234")
    response = Client().request("GET", site.url("/digits.txt"), [*XHR, ("Range", "bytes=2-4")])
    assert response.status == 401, response
    response = Client().request("HEAD", site.url("/digits.txt"), XHR)
    assert (response.status, response.body) == (401, b"")


@pytest.mark.parametrize("chunked", [False, True])
def test_body_reaches_the_upstream(site, alice, chunked):
    body = bytes(range(256)) * 800
    headers, sent = [*XHR, ("Content-Type", "application/octet-stream")], body
    if chunked:
        headers.append(("Transfer-Encoding", "chunked"))
        sent = b"%x\r\n%s\r\n0\r\n\r\n" % (len(body), body)
    response = alice.request("POST", site.url("/app/upload"), headers, sent)
    assert response.status == 200, response
    assert site.upstream.requests[-1].body == body


def test_unauthenticated_body_is_not_forwarded(site):
    count = len(site.upstream.requests)
    response = Client().request("POST", site.url("/app/upload"), XHR, b"x" * 300_000)
    assert response.status == 401
    assert len(site.upstream.requests) == count


def test_keep_alive(site, alice):
    """Identity belongs to the request, not to the connection."""
    cookie = alice.cookie_header(site.url("/"))
    host = f"Host: 127.0.0.1:{site.port}\r\nAccept: application/json\r\n"
    with Wire(site.port) as wire:
        for own, status in (("", 401), (f"Cookie: {cookie}\r\n", 200), ("", 401),
                            (f"Cookie: {cookie}\r\n", 200), ("Cookie: a=b\r\n", 401)):
            wire.send(f"GET /app/x HTTP/1.1\r\n{host}{own}\r\n".encode())
            assert wire.receive().status == status


def test_pipelined(site, alice):
    cookie = alice.cookie_header(site.url("/"))
    one = (f"GET /app/x HTTP/1.1\r\nHost: 127.0.0.1:{site.port}\r\n"
           f"Accept: application/json\r\nCookie: {cookie}\r\n\r\n")
    with Wire(site.port) as wire:
        wire.send((one * 2).encode())
        first = wire.sock.recv(100)
        assert first.startswith(b"HTTP/1.1 200")


def test_http_1_0(site, alice):
    with Wire(site.port) as wire:
        cookie = alice.cookie_header(site.url("/"))
        wire.send(f"GET /app/x HTTP/1.0\r\nHost: 127.0.0.1\r\nCookie: {cookie}\r\n\r\n".encode())
        assert wire.receive().status == 200


@pytest.mark.parametrize("size", [2000, 7000, 20000])
def test_big_headers(site, alice, size):
    headers = [*NAVIGATION, ("X-Big", "a" * size)]
    assert alice.request("GET", site.url("/app/x"), headers).status == \
        (200 if size < 8000 else 400)


def test_limit_req_by_session(site, alice):
    assert alice.navigate(site.url("/limited/x")).status == 200


def test_websocket_with_session(site, alice):
    site.upstream.answers["/websocket/x"] = Answer(raw=(
        b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\nhi"))
    headers = [("Upgrade", "websocket"), ("Connection", "Upgrade"),
               ("Cookie", alice.cookie_header(site.url("/")))]
    lines = "".join(f"{n}: {v}\r\n" for n, v in headers)
    with Wire(site.port) as wire:
        wire.send(f"GET /websocket/x HTTP/1.1\r\nHost: 127.0.0.1\r\n{lines}\r\n".encode())
        data = b""
        while b"hi" not in data and (part := wire.sock.recv(4096)):
            data += part
    assert data.startswith(b"HTTP/1.1 101")


def test_foreign_host_is_misdirected(site):
    log = site.nginx.view()
    response = Client().request("GET", site.url("/app/x"), [*NAVIGATION, ("Host", "evil.test")])
    assert response.status == 421, response
    assert log.wait_reason(["misdirected"])


def test_forwarded_headers_change_nothing(site):
    response = Client().request("GET", site.url("/app/x"), [
        *NAVIGATION, ("X-Forwarded-Host", "evil.test"), ("X-Forwarded-Proto", "https"),
        ("X-Forwarded-Uri", "/public"), ("X-Original-URL", "/public"), ("Forwarded",
                                                                       "host=evil.test")])
    assert response.status in (302, 303) and "evil.test" not in response.location


def test_form_post_that_nginx_has_to_wait_for(site, make_nginx, upstream, op):
    """The body comes in pieces after the head."""
    own = Site(make_nginx, upstream, op.provider("pieces"), response_mode="form_post")
    client = Client()
    delivery = at_provider(begin(client, own.url("/x")), own.origin)
    with Wire(own.port) as wire:
        wire.send((f"POST /oidc/callback HTTP/1.1\r\nHost: 127.0.0.1:{own.port}\r\n"
                   "Content-Type: application/x-www-form-urlencoded\r\n"
                   f"Cookie: {client.cookie_header(own.url('/'))}\r\n"
                   f"Content-Length: {len(delivery.body)}\r\n\r\n").encode())
        for start in range(0, len(delivery.body), 50):
            wire.send(delivery.body[start:start + 50])
        assert wire.receive().status in (302, 303)


@pytest.mark.parametrize("mode", ["query", "form_post"])
def test_http2_and_tls(make_nginx, upstream, https_op, ca, certificate, mode):
    provider = https_op.provider(f"h2-{mode}")
    site = Site(make_nginx, upstream, provider, certificate=certificate, http2=True,
                host="localhost", response_mode=mode, ssl_trusted_certificate=ca.path)
    plain = Client(ca.client_context())
    plain_response = site.login(plain, "/over-1.1?x=%2F", ca.client_context())
    assert plain_response.location.removeprefix(site.origin) == "/over-1.1?x=%2F"
    for cookie in plain.cookies():
        assert cookie.name.startswith("__Host-"), cookie
        assert "secure" in cookie.attributes and cookie.attributes["path"] == "/"
    with httpx.Client(http2=True, verify=ca.client_context()) as h2:
        headers = dict(NAVIGATION)
        first = h2.get(site.url("/over-2?x=%2F"), headers=headers)
        assert first.http_version == "HTTP/2" and first.status_code in (302, 303)
        pending = first.headers.get_list("set-cookie")[0]
        assert ("SameSite=None" in pending) == (mode == "form_post"), pending
        delivery = at_provider(first.headers["location"], site.origin, ca.client_context())
        if delivery.body is None:
            back = h2.get(delivery.url, headers=headers)
        else:
            back = h2.post(delivery.url, content=delivery.body, headers={
                "Content-Type": "application/x-www-form-urlencoded"})
        assert back.status_code in (302, 303), back.text
        assert "SameSite=Lax" in "".join(back.headers.get_list("set-cookie"))
        page = h2.get(site.url("/over-2?x=%2F"), headers=headers)
        assert page.status_code == 200 and page.headers["x-upstream"] == "yes"
        crumbs = h2.get(site.url("/crumbs"), headers=[*NAVIGATION, *[
            ("cookie", f"{c.name}={c.value}") for c in h2.cookies.jar], ("cookie", "a=b")])
        assert crumbs.status_code == 200


def test_form_post_on_https_needs_no_page(make_nginx, upstream, https_op, ca, certificate):
    site = Site(make_nginx, upstream, https_op.provider("https-form"), certificate=certificate,
                host="localhost", response_mode="form_post", ssl_trusted_certificate=ca.path)
    client = Client(ca.client_context())
    delivery = at_provider(begin(client, site.url("/x")), site.origin, ca.client_context())
    response = hand_over(client, delivery, cross_site=True)
    assert response.status in (302, 303), response
    assert deliver(client, delivery).status in (302, 303)  # a second time: to its target
