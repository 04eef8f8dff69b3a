"""One nginx with many tenants, each of which differs from the first, BASE, in one thing.

All have one origin, http://portal.test:PORT, unless that is the difference: what a server block has
for itself is an address of 127.0.0.0/8. So nothing but the module keeps them apart.
"""

import base64
import re
from dataclasses import dataclass, field

from . import canary
from .client import NAVIGATION, XHR, Cookie, Response, Wire
from .gateway import SESSION_SECRET
from .login import Delivery, at_provider
from .nginx import directives, location
from .proc import free_port
from .scripted_op import CLIENT_ID, CLIENT_SECRET, Provider

OTHER_SECRET = "another-secret-of-the-sessions-with-more-than-32-bytes-9876543210"
OUT, ADMIN = "logout", "sessions"
SAME_ORIGIN = [h for h in NAVIGATION if h[0] != "Sec-Fetch-Site"] + [
    ("Sec-Fetch-Site", "same-origin")]
IFRAME = [("Accept", "text/html"), ("Sec-Fetch-Mode", "navigate"), ("Sec-Fetch-Dest", "iframe"),
          ("Sec-Fetch-Site", "cross-site")]


class SharedProvider(Provider):
    """Of several clients, all with one secret; `lax`: it binds no code to anything."""

    lax = False

    def _client_problem(self, request, form):
        self.client_id = self.client_of(request)
        return super()._client_problem(request, form)

    def client_of(self, request) -> str:
        basic = request.header("Authorization").partition(" ")[2]
        return base64.b64decode(basic).decode().partition(":")[0]

    def _code_problem(self, asked, form):
        if self.lax and asked:
            self._codes[form["code"]] = asked
            return None
        return super()._code_problem(asked, form)


@dataclass
class Tenant:
    name: str
    provider: SharedProvider
    host: str
    port: int
    address: str = "127.0.0.1"
    scheme: str = "http"
    path: str = "/app/"
    callback: str = "/oidc/callback"
    roles: str | None = None  # that its location wants
    context: object = None
    settings: dict = field(default_factory=dict)
    store: str = "redis base"
    session: str = ""  # the names of its cookies: of the session,
    remember: str = ""  # what brings that back,
    pending: str = ""  # and what a pending login's begins with

    @property
    def origin(self) -> str:
        return f"{self.scheme}://{self.host}:{self.port}"

    @property
    def identity(self) -> tuple:
        return (self.provider.issuer, self.settings["client_id"],
                self.settings.get("session_audience"))

    @property
    def secret(self) -> str:
        return self.settings["session_secret"]

    @property
    def back(self) -> str:
        return self.callback + "-back"

    @property
    def front(self) -> str:
        return self.callback + "-front"

    def send(self, target: str, headers=XHR, cookies=(), body: bytes | None = None,
             method: str = "") -> Response:
        """`cookies` are pairs."""
        method = method or ("GET" if body is None else "POST")
        lines = [f"{method} {target} HTTP/1.1", f"Host: {self.host}:{self.port}", "Connection: close"]
        lines += [f"{n}: {v}" for n, v in headers]
        if cookies:
            lines.append("Cookie: " + "; ".join(f"{n}={v}" for n, v in cookies))
        if body is not None:
            lines.append(f"Content-Length: {len(body)}")
        with Wire(self.port, self.context, self.host, address=self.address) as wire:
            wire.send("\r\n".join(lines).encode() + b"\r\n\r\n" + (body or b""))
            response = wire.receive(f"{self.name}{target}")
        for cookie in cookies_of(response):
            canary.plant(f"cookie {cookie[0]}", cookie[1])
        return response

    def verdict(self, cookies) -> tuple[int, str]:
        """What a script gets that sends them: the status and the reason code."""
        return verdict(self.send(self.path + "page", cookies=cookies))

    def begin(self) -> "Pending":
        response = self.send(self.path + "page", NAVIGATION)
        assert response.status in (302, 303), response
        return Pending(cookies_of(response), at_provider(response.location, self.origin))

    def login(self) -> list[tuple[str, str]]:
        """The cookies of a new session, with what makes it one."""
        pending = self.begin()
        response = self.deliver(pending.delivery, pending.cookies)
        assert response.status in (302, 303), response
        return cookies_of(response)

    def deliver(self, delivery: Delivery, cookies) -> Response:
        """At this tenant's callback, whose login ever it answers."""
        return self.send(self.callback + "?" + delivery.url.partition("?")[2], NAVIGATION, cookies)


@dataclass
class Pending:
    cookies: list
    delivery: Delivery


def cookies_of(response: Response) -> list[tuple[str, str]]:
    """Those that it sets."""
    found = [Cookie.parse(text) for text in response.all("Set-Cookie")]
    return [(c.name, c.value) for c in found if not c.expired]


def session_of(cookies) -> list[tuple[str, str]]:
    return [c for c in cookies if "remember" not in c[0]]


def remember_of(cookies) -> list[tuple[str, str]]:
    return [c for c in cookies if "remember" in c[0]]


def verdict(response: Response) -> tuple[int, str]:
    return response.status, response.header("X-Reason") or ""


def renamed(cookies, old: str, new: str) -> list[tuple[str, str]]:
    """As if they were the other tenant's; what comes after the name's beginning stays."""
    return [(new + n.removeprefix(old) if n.startswith(old) else n, v) for n, v in cookies]


NAMES = ["base", "issuer", "client", "audience", "secret", "shm", "prefix", "cookie", "name", "host",
         "https", "rules", "beside"]


class Tenants:
    def __init__(self, make_nginx, upstream, op, redis, ca):
        self.op, self.upstream = op, upstream
        for name in ("tenants", "tenants-2"):
            op.providers[name] = SharedProvider(op.origin, name)
            op.providers[name].token_life = 3600
        op.providers["tenants-2"].rotate(2)
        self.main = op.providers["tenants"]
        self.redis = redis
        self.certificate = ca.issue("portal", names=("portal.test",))
        self.port, self.https_port = free_port(), free_port()
        self.all = {name: self._tenant(name, ca) for name in NAMES}
        http = ("add_header X-Reason $oidc_error always; add_header X-Outcome $oidc_outcome always;\n"
                "oidc_session_zone apart 1m;\n")
        http += "".join(self._server(t) for t in self.all.values()
                        if t.name not in ("rules", "beside"))
        self.nginx = make_nginx(http, self.port)
        for tenant in self.all.values():
            self._learn_names(tenant)

    def __getitem__(self, name: str) -> Tenant:
        return self.all[name]

    def _tenant(self, name: str, ca) -> Tenant:
        settings = {
            "issuer": self.main.issuer, "client_id": CLIENT_ID, "client_secret": CLIENT_SECRET,
            "session_storage": "redis", "session_secret": SESSION_SECRET, "redis_port": self.redis.port,
            "redis_prefix": "base", "session_remember": "on", "logout_uri_suffix": "/" + OUT}
        number = NAMES.index(name) + 1
        tenant = Tenant(name, self.main, "portal.test", self.port, f"127.0.0.{number}",
                        settings=settings)
        if name == "issuer":
            tenant.provider = self.op.providers["tenants-2"]
            settings["issuer"] = tenant.provider.issuer
        elif name == "client":
            settings["client_id"] = "second"
        elif name == "audience":
            settings["session_audience"] = "intranet"
        elif name == "secret":
            settings["session_secret"] = OTHER_SECRET
        elif name == "shm":
            settings["session_storage"], tenant.store = "shm:apart", "shm"
        elif name == "prefix":
            settings["redis_prefix"] = tenant.store = "prefix"
        elif name == "cookie":
            # Such a tenant can have no remember cookie.
            settings |= {"session_storage": "cookie deny=redis", "redis_prefix": "ended"}
            del settings["session_remember"]
            tenant.store = "cookie"
        elif name == "name":
            settings |= {"session_cookie_name": "named", "authorization_cookie_name": "named_login",
                         "session_remember_cookie_name": "named_remember"}
        elif name == "host":
            tenant.host, tenant.address = "other.test", "127.0.0.1"
        elif name == "https":
            tenant.scheme, tenant.port = "https", self.https_port
            tenant.context = ca.client_context()
        elif name == "rules":
            tenant.address, tenant.path, tenant.roles = "127.0.0.1", "/rules/", "staff"
        elif name == "beside":
            # Another provider for a location of BASE's own server, as "issuer" has it elsewhere.
            tenant.address, tenant.path, tenant.callback = "127.0.0.1", "/beside/", "/oidc/beside"
            tenant.provider = self.op.providers["tenants-2"]
            settings["issuer"] = tenant.provider.issuer
        settings |= {"redirect_uri": tenant.callback, "backchannel_logout_uri": tenant.back,
                     "frontchannel_logout_uri": tenant.front}
        return tenant

    def _server(self, tenant: Tenant) -> str:
        body = [f"listen {tenant.address}:{tenant.port}{' ssl' if tenant.context else ''};",
                f"server_name {tenant.host};"]
        if tenant.context:
            body.append(f"ssl_certificate {self.certificate.cert};"
                        f"ssl_certificate_key {self.certificate.key};")
        guests = [self.all[n] for n in ("rules", "beside")] if tenant.name == "base" else []
        body += [self._locations(t) for t in (tenant, *guests)]
        return "server {\n" + "\n".join(body) + "\n}\n"

    def _locations(self, tenant: Tenant) -> str:
        own = directives(**tenant.settings, roles_required=tenant.roles)
        return (location(tenant.path, f"oidc on;\n{own}proxy_pass {self.upstream.origin};")
                + location(f"= {tenant.path}{ADMIN}", f"oidc_session_admin public;\n{own}"))

    def _learn_names(self, tenant: Tenant) -> None:
        pending = tenant.begin()
        [(name, _)] = pending.cookies
        # What follows is the login's id, which may have a "_" of its own.
        tenant.pending = re.match(r"named_login_|(__Host-)?oidc_login_[0-9a-f]{6}_", name)[0]
        cookies = cookies_of(tenant.deliver(pending.delivery, pending.cookies))
        [tenant.session] = [n for n, _ in session_of(cookies) if n[-2:] != "_1"]
        tenant.remember = next((n for n, _ in remember_of(cookies)), "")

    def who(self, sub: str, sid: str, *roles: str) -> None:
        """The user of the next logins, at all providers."""
        for name in ("tenants", "tenants-2"):
            self.op.providers[name].claims = {"sub": sub, "sid": sid, "roles": list(roles)}
