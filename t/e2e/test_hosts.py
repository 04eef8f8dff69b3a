"""What a client says of host, scheme and address: only the Host header counts, and only where it is a
name of the server's; of a proxy's headers only what nginx's realip makes an address of."""

from urllib.parse import parse_qs, urlsplit

import pytest
from bench.client import NAVIGATION, XHR, Wire
from bench.gateway import protect
from bench.login import at_provider
from bench.nginx import location
from bench.proc import free_port
from bench.tenants import SharedProvider, cookies_of, verdict

CALLER, OTHER = "198.51.100.7", "198.51.100.8"


class Hosts:
    def __init__(self, make_nginx, upstream, op, ca):
        self.upstream = upstream
        self.provider = op.providers["hosts"] = SharedProvider(op.origin, "hosts")
        self.port, self.tls_port, self.proxied = free_port(), free_port(), free_port()
        self.context = ca.client_context()
        certificate = ca.issue("one", names=("one.test",))
        tls = f"ssl_certificate {certificate.cert}; ssl_certificate_key {certificate.key};"
        trusting = "real_ip_header X-Forwarded-For; set_real_ip_from "
        http = "add_header X-Reason $oidc_error always;\n" + "".join([
            self._server(f"127.0.0.1:{self.port}", "one.test"),
            self._server(f"127.0.0.1:{self.port}", "two.test", client_id="second"),
            self._server(f"127.0.0.1:{self.tls_port} ssl", "one.test", tls),
            self._server(f"127.0.0.2:{self.port}", "_", base_url="https://public.test"),
            self._server(f"127.0.0.3:{self.port}", "one.test", trusting + "127.0.0.1;",
                         session_bind="ip"),
            self._server(f"127.0.0.4:{self.port}", "one.test", trusting + "192.0.2.1;",
                         session_bind="ip"),
            self._server(f"127.0.0.5:{self.port}", "one.test two.test",
                         redirect_uri=f"http://$host:{self.port}/oidc/callback"),
            self._server(f"127.0.0.1:{self.proxied} proxy_protocol", "one.test",
                         "real_ip_header proxy_protocol; set_real_ip_from 127.0.0.1;",
                         session_bind="ip"),
        ])
        self.nginx = make_nginx(http, self.port)

    def _server(self, listen: str, name: str, more: str = "", **settings) -> str:
        body = location("/", protect(self.provider, logout_uri_suffix="/logout", **settings)
                        + f"proxy_pass {self.upstream.origin};")
        return f"server {{\nlisten {listen};\nserver_name {name};\n{more}\n{body}}}\n"

    def raw(self, *lines: str, headers=NAVIGATION, port: int = 0, address: str = "127.0.0.1",
            cookies=(), before: str = ""):
        """The request line and the Host headers as they are."""
        port = port or self.port
        all_ = [*lines, *(f"{n}: {v}" for n, v in headers), "Connection: close"]
        if cookies:
            all_.append("Cookie: " + "; ".join(f"{n}={v}" for n, v in cookies))
        context = self.context if port == self.tls_port else None
        with Wire(port, context, "one.test", address=address) as wire:
            wire.send((before + "\r\n".join(all_)).encode() + b"\r\n\r\n")
            return wire.receive()

    def get(self, target: str = "/x", host: str = "", **options):
        return self.raw(f"GET {target} HTTP/1.1", f"Host: {host or f'one.test:{self.port}'}", **options)

    def log_in(self, *headers, **options):
        """The cookies; each request to the gateway has these headers."""
        options["headers"] = [*NAVIGATION, *headers]
        begun = self.get(**options)
        assert begun.status == 302, begun
        asked = redirect_uri(begun)
        delivery = at_provider(begun.location, asked)
        back = self.get(delivery.url.removeprefix(asked.rpartition("/oidc")[0]),
                        cookies=cookies_of(begun), **options)
        assert verdict(back) == (302, ""), back
        return cookies_of(back)


def redirect_uri(response) -> str:
    return parse_qs(urlsplit(response.location).query)["redirect_uri"][0]


@pytest.fixture(scope="module")
def hosts(make_nginx, upstream, op, ca):
    return Hosts(make_nginx, upstream, op, ca)


def starts_at(response, origin: str, secure: bool = False, client: str = "gateway") -> None:
    """A login begins, and its answer goes to `origin`; the cookies are those of its scheme."""
    assert response.status == 302, response
    assert redirect_uri(response) == origin + "/oidc/callback"
    assert parse_qs(urlsplit(response.location).query)["client_id"] == [client]
    for text in response.all("Set-Cookie"):
        assert text.startswith("__Host-oidc_login_" if secure else "oidc_login_"), text
        assert ("Secure" in text) == secure, text
        assert "Domain" not in text and "Path=/;" in text, text
    assert "evil" not in repr(response.headers) + response.text


# ---- the Host header ---------------------------------------------------------------------------------

RIGHT = {
    "one.test:{port}": "http://one.test:{port}", "ONE.Test:{port}": "http://one.test:{port}",
    "one.test": "http://one.test", "one.test:80": "http://one.test", "one.test.": "http://one.test",
    "one.test.:{port}": "http://one.test:{port}", "one.test:443": "http://one.test:443",
    "one.test:80@evil.test": "http://one.test", "one.test:evil": "http://one.test",
    "one.test:": "http://one.test", "one.test:-1": "http://one.test",
}


@pytest.mark.parametrize("host", RIGHT)
def test_a_name_of_the_server(hosts, host):
    response = hosts.get(host=host.format(port=hosts.port))
    starts_at(response, RIGHT[host].format(port=hosts.port))


@pytest.mark.parametrize("host", [
    "evil.test", "evil.test:{port}", "one.test.evil.test", "evil.one.test", "xone.test",
    "one.test@evil.test", "one.test,evil.test", "one.test#evil", "one.test?evil", "127.0.0.1:{port}",
    "[::1]:{port}", "localhost", "_", "*", "one%2etest"])
def test_another_name_is_misdirected(hosts, host):
    """It reaches the default server, which is not called so: no login begins or ends, and no logout.
    A session needs no name: its cookie came along, which no browser sends to another host."""
    host = host.format(port=hosts.port)
    response = hosts.get(host=host)
    assert verdict(response) == (421, "misdirected"), response
    assert cookies_of(response) == [] and "evil" not in response.text
    begun = hosts.get()
    target = "/oidc/callback?" + at_provider(begun.location, redirect_uri(begun)).url.partition("?")[2]
    response = hosts.get(target, host=host, cookies=cookies_of(begun))
    assert verdict(response) == (400, "redirect_uri_mismatch"), response
    back = hosts.get(target, cookies=cookies_of(begun))
    assert verdict(back) == (302, ""), back
    cookies = cookies_of(back)
    response = hosts.raw("POST /logout HTTP/1.1", f"Host: {host}", "Content-Length: 0",
                         headers=[("Origin", f"http://{host}")], cookies=cookies)
    assert verdict(response) == (421, "misdirected"), response
    assert verdict(hosts.get(host=host, cookies=cookies, headers=XHR)) == (200, "")


@pytest.mark.parametrize("lines", [
    ("Host: one.test", "Host: one.test"), ("Host: one.test", "Host: two.test"), (), ("Host:",),
    ("Host: one.test/x",), ("Host: one..test",), ("Host: one.test\x01",), ("Host: .",)],
    ids=["twice", "two", "none", "empty", "slash", "dots", "control", "dot"])
def test_nginx_refuses(hosts, lines):
    response = hosts.raw("GET /x HTTP/1.1", *lines)
    assert verdict(response) == (400, ""), response
    assert response.all("Set-Cookie") == []


def test_http_1_0_without_host(hosts):
    response = hosts.raw("GET /x HTTP/1.0")
    assert verdict(response) == (421, "misdirected"), response
    starts_at(hosts.raw("GET /x HTTP/1.0", "Host: one.test"), "http://one.test")


def test_absolute_form(hosts):
    """RFC 9112 3.2.2: the request line's host counts, and not the header's."""
    header = f"Host: evil.test:{hosts.port}"
    mine = f"Host: one.test:{hosts.port}"
    starts_at(hosts.raw("GET http://one.test/x HTTP/1.1", mine), f"http://one.test:{hosts.port}")
    starts_at(hosts.raw("GET http://two.test/x HTTP/1.1", mine),
              f"http://two.test:{hosts.port}", client="second")
    response = hosts.raw("GET http://evil.test/x HTTP/1.1", mine)
    assert verdict(response) == (421, "misdirected"), response
    # nginx tells nothing of a port there: it is the header's, which clients choose as they like.
    starts_at(hosts.raw("GET http://one.test/x HTTP/1.1", header), f"http://one.test:{hosts.port}")
    # The scheme is the connection's.
    starts_at(hosts.raw("GET https://one.test/x HTTP/1.1", mine), f"http://one.test:{hosts.port}")


def test_host_as_a_variable(hosts):
    """oidc_redirect_uri may hold $host: as nginx has read it, and only one of the server's names."""
    where = {"address": "127.0.0.5"}
    for host, name in (("one.test", "one.test"), ("TWO.test.:1", "two.test"),
                       ("two.test:80@evil.test", "two.test")):
        starts_at(hosts.get(host=host, **where), f"http://{name}:{hosts.port}")
    for host in ("evil.test", "one.test@evil.test", "one.test,two.test"):
        assert verdict(hosts.get(host=host, **where)) == (421, "misdirected"), host
    # A login that began under one name does not end under the other.
    begun = hosts.get(**where)
    target = "/oidc/callback?" + at_provider(begun.location, redirect_uri(begun)).url.partition("?")[2]
    for host, want in (("two.test", (400, "redirect_uri_mismatch")), ("one.test", (302, ""))):
        response = hosts.get(target, host=f"{host}:{hosts.port}", cookies=cookies_of(begun), **where)
        assert verdict(response) == want, response


def test_two_names_of_one_port_are_two_servers(hosts):
    """A session of one is none at the other, which is another client; so are its cookies' names."""
    cookies = hosts.log_in()
    assert hosts.get(cookies=cookies).status == 200
    response = hosts.get(host=f"two.test:{hosts.port}", cookies=cookies)
    starts_at(response, f"http://two.test:{hosts.port}", client="second")


# ---- what proxies say --------------------------------------------------------------------------------

FORWARDED = [
    ("X-Forwarded-Host", "evil.test"), ("X-Forwarded-Proto", "https"), ("X-Forwarded-Proto", "http"),
    ("X-Forwarded-Port", "4443"), ("X-Forwarded-Ssl", "on"), ("X-Forwarded-Scheme", "https"),
    ("X-Forwarded-Server", "evil.test"), ("X-Forwarded-Prefix", "/evil"), ("X-Forwarded-For", CALLER),
    ("X-Url-Scheme", "https"), ("Front-End-Https", "on"), ("X-Host", "evil.test"),
    ("X-Original-Host", "evil.test"), ("X-Original-URL", "/evil"), ("X-Rewrite-URL", "/evil"),
    ("X-HTTP-Host-Override", "evil.test"), ("Forwarded", "for=1.2.3.4;host=evil.test;proto=https"),
    ("X-Real-IP", CALLER), ("X-HTTP-Method-Override", "DELETE")]
IDS = [f"{n}-{v.split(';')[0]}".replace("/", "") for n, v in FORWARDED]


@pytest.mark.parametrize("header", FORWARDED, ids=IDS)
def test_forwarded_headers_change_nothing(hosts, header):
    """Not a login's beginning and end, not the session; on http as on https."""
    starts_at(hosts.get(headers=[*NAVIGATION, header]), f"http://one.test:{hosts.port}")
    secure = {"port": hosts.tls_port, "host": f"one.test:{hosts.tls_port}"}
    starts_at(hosts.get(headers=[*NAVIGATION, header], **secure),
              f"https://one.test:{hosts.tls_port}", secure=True)
    for options in ({}, secure):
        cookies = hosts.log_in(header, **options)
        for headers in (XHR, [*XHR, header]):
            assert verdict(hosts.get(headers=headers, cookies=cookies, **options)) == (200, "")


@pytest.mark.parametrize("header", [h for h in FORWARDED if "evil.test" in h[1]],
                         ids=[h[0] for h in FORWARDED if "evil.test" in h[1]])
def test_forwarded_headers_make_no_origin(hosts, header):
    cookies = hosts.log_in()
    response = hosts.raw("POST /logout HTTP/1.1", f"Host: one.test:{hosts.port}", "Content-Length: 0",
                         headers=[("Origin", "http://evil.test"), header], cookies=cookies)
    assert verdict(response) == (403, "logout_cross_site"), response
    assert hosts.get(cookies=cookies).status == 200


def test_tls_that_ends_before_nginx(hosts):
    """oidc_base_url is the one place that says so: whatever name and scheme the proxy uses."""
    where = {"address": "127.0.0.2"}
    for host in ("gateway-3.internal:8080", "public.test", "evil.test"):
        starts_at(hosts.get(host=host, **where), "https://public.test", secure=True)
    cookies = hosts.log_in(("X-Forwarded-Proto", "http"), host="10.0.0.1", **where)
    assert all(name.startswith("__Host-") for name, _ in cookies)
    for host in ("gateway-3.internal", "public.test"):
        assert verdict(hosts.get(host=host, cookies=cookies, headers=XHR, **where)) == (200, "")
    # And the cookies without their prefix are none.
    plain = [(n.removeprefix("__Host-"), v) for n, v in cookies]
    response = hosts.get(host="public.test", cookies=plain, headers=XHR, **where)
    assert verdict(response) == (401, "unauthenticated")


# ---- addresses ---------------------------------------------------------------------------------------

def from_(address: str) -> tuple:
    return ("X-Forwarded-For", address)


def test_realip_of_a_trusted_proxy(hosts):
    """The address that it names is the client's, in the callback as elsewhere; the rest is not read."""
    where = {"address": "127.0.0.3"}
    lies = (("X-Forwarded-Host", "evil.test"), ("X-Forwarded-Proto", "https"))
    cookies = hosts.log_in(from_(CALLER), *lies, **where)
    for header, want in ((from_(CALLER), (200, "")), (from_(OTHER), (401, "session_invalid")),
                         (from_(f"{CALLER}, {OTHER}"), (401, "session_invalid")),
                         (from_(f"{OTHER}, {CALLER}"), (200, "")),
                         (("X-Real-IP", CALLER), (401, "session_invalid"))):
        response = hosts.get(cookies=cookies, headers=[*XHR, header], **where)
        assert verdict(response) == want, (header, response)
    starts_at(hosts.get(headers=[*NAVIGATION, from_(CALLER), *lies], **where),
              f"http://one.test:{hosts.port}")


def test_an_untrusted_one_names_nobody(hosts):
    where = {"address": "127.0.0.4"}
    cookies = hosts.log_in(from_(CALLER), **where)
    for headers in (XHR, [*XHR, from_(CALLER)], [*XHR, from_(OTHER)]):
        assert verdict(hosts.get(cookies=cookies, headers=headers, **where)) == (200, "")


def test_proxy_protocol(hosts):
    """Its address counts, its port and what the request says do not."""
    def options(address):
        return {"port": hosts.proxied, "before": f"PROXY TCP4 {address} 203.0.113.1 5000 443\r\n",
                "host": f"one.test:{hosts.proxied}"}
    cookies = hosts.log_in(from_(OTHER), **options(CALLER))
    assert verdict(hosts.get(cookies=cookies, headers=XHR, **options(CALLER))) == (200, "")
    response = hosts.get(cookies=cookies, headers=[*XHR, from_(CALLER)], **options(OTHER))
    assert verdict(response) == (401, "session_invalid")
    starts_at(hosts.get(**options(CALLER)), f"http://one.test:{hosts.proxied}")
