"""A plain HTTP user agent: request targets byte for byte, every header line, a cookie jar.

Every name resolves to 127.0.0.1, as it does in the bench's browser.
"""

import http.client
import json
import socket
import ssl
import time
from dataclasses import dataclass, field

from . import canary

NAVIGATION = [("Accept", "text/html,application/xhtml+xml"), ("Sec-Fetch-Mode", "navigate"),
              ("Sec-Fetch-Dest", "document"), ("Sec-Fetch-Site", "none"),
              ("Upgrade-Insecure-Requests", "1")]
XHR = [("Accept", "application/json"), ("Sec-Fetch-Mode", "cors"), ("Sec-Fetch-Dest", "empty"),
       ("Sec-Fetch-Site", "same-origin")]
FORM = ("Content-Type", "application/x-www-form-urlencoded")


@dataclass
class Response:
    url: str
    status: int
    headers: list[tuple[str, str]]
    body: bytes

    def all(self, name: str) -> list[str]:
        return [v for n, v in self.headers if n.lower() == name.lower()]

    def header(self, name: str) -> str | None:
        values = self.all(name)
        assert len(values) <= 1, f"{name} came {len(values)} times: {values}"
        return values[0] if values else None

    @property
    def location(self) -> str:
        assert self.status in (301, 302, 303, 307, 308), self
        return self.header("Location")

    @property
    def text(self) -> str:
        return self.body.decode(errors="replace")

    def json(self):
        return json.loads(self.body)

    def __repr__(self):
        return f"<{self.status} {self.url} {self.headers} {self.text[:400]!r}>"


@dataclass
class Url:
    scheme: str
    host: str
    port: int
    target: str

    @classmethod
    def parse(cls, url: str) -> "Url":
        scheme, _, rest = url.partition("://")
        authority, slash, target = rest.partition("/")
        if "?" in authority:
            authority, _, query = authority.partition("?")
            slash, target = "/?", query
        host, _, port = authority.partition(":")
        default = 443 if scheme == "https" else 80
        return cls(scheme, host, int(port or default), (slash or "/") + target.partition("#")[0])

    @property
    def authority(self) -> str:
        return f"{self.host}:{self.port}"


class Wire:
    """One connection. Sends bytes as they are."""

    def __init__(self, port: int, context: ssl.SSLContext | None = None, name: str = "localhost",
                 timeout: float = 20.0, address: str = "127.0.0.1"):
        self.sock = socket.create_connection((address, port), timeout)
        self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if context:
            self.sock = context.wrap_socket(self.sock, server_hostname=name)

    def send(self, data: bytes) -> None:
        self.sock.sendall(data)

    def receive(self, url: str = "", method: str = "GET") -> Response:
        answer = http.client.HTTPResponse(self.sock, method=method)
        answer.begin()
        body = answer.read()
        return Response(url, answer.status, answer.headers.items(), body)

    def close(self) -> None:
        self.sock.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


@dataclass
class Cookie:
    name: str
    value: str
    attributes: dict[str, str] = field(default_factory=dict)  # names in lower case
    made: float = field(default_factory=time.time)

    @classmethod
    def parse(cls, text: str) -> "Cookie":
        pair, *rest = text.split(";")
        name, _, value = pair.strip().partition("=")
        attributes = {}
        for part in rest:
            key, _, content = part.strip().partition("=")
            attributes[key.lower()] = content
        return cls(name, value, attributes)

    @property
    def expired(self) -> bool:
        age = self.attributes.get("max-age")
        if age is not None:
            return time.time() >= self.made + int(age)
        return self.attributes.get("expires", "").startswith("Thu, 01 Jan 1970")

    def goes_to(self, url: Url, cross_site_post: bool) -> bool:
        # As in browsers, http://localhost counts as secure (Keycloak's cookies rely on it).
        if "secure" in self.attributes and url.scheme != "https" and url.host != "localhost":
            return False
        if cross_site_post and self.attributes.get("samesite", "Lax").lower() != "none":
            return False
        path = self.attributes.get("path") or "/"
        here = url.target.partition("?")[0]
        return here == path or here.startswith(path.rstrip("/") + "/")


class Client:
    def __init__(self, context: ssl.SSLContext | None = None):
        self.context = context
        self.jar: dict[tuple[str, str, str], Cookie] = {}  # (host, name, path): ports share

    def cookies(self, host: str | None = None) -> list[Cookie]:
        return [c for (h, _, _), c in self.jar.items() if host in (None, h) and not c.expired]

    def cookie_header(self, url: str, cross_site_post: bool = False) -> str:
        at = Url.parse(url)
        return "; ".join(f"{c.name}={c.value}" for c in self.cookies(at.host)
                         if c.goes_to(at, cross_site_post))

    def store(self, host: str, text: str) -> None:
        cookie = Cookie.parse(text)
        canary.plant(f"cookie {cookie.name}", cookie.value)
        key = (host, cookie.name, cookie.attributes.get("path", "/"))
        if cookie.expired:
            self.jar.pop(key, None)
        else:
            self.jar[key] = cookie

    def request(self, method: str, url: str, headers=(), body: bytes | None = None,
                cookies: bool = True, cross_site: bool = False, timeout: float = 20.0) -> Response:
        at = Url.parse(url)
        lines = [f"{method} {at.target} HTTP/1.1"]
        names = {n.lower() for n, _ in headers}
        if "host" not in names:
            lines.append(f"Host: {at.authority}")
        lines += [f"{n}: {v}" for n, v in headers]
        cookie = self.cookie_header(url, cross_site and method != "GET") if cookies else ""
        if cookie and "cookie" not in names:
            lines.append(f"Cookie: {cookie}")
        if body is not None and not names & {"content-length", "transfer-encoding"}:
            lines.append(f"Content-Length: {len(body)}")
        if "connection" not in names:
            lines.append("Connection: close")
        data = "\r\n".join(lines).encode("utf-8", "surrogateescape") + b"\r\n\r\n" + (body or b"")
        context = self.context if at.scheme == "https" else None
        with Wire(at.port, context, at.host, timeout) as wire:
            wire.send(data)
            response = wire.receive(url, method)
        for text in response.all("Set-Cookie"):
            self.store(at.host, text)
        return response

    def get(self, url: str, headers=XHR, **options) -> Response:
        return self.request("GET", url, headers, **options)

    def navigate(self, url: str, **options) -> Response:
        return self.request("GET", url, NAVIGATION, **options)

    def post(self, url: str, body: bytes, headers=(FORM,), **options) -> Response:
        return self.request("POST", url, headers, body, **options)
