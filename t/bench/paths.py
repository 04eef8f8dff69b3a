"""What the benchmarks compare: the paths of three gateways, and everything around them on loopback."""

from dataclasses import dataclass

from bench.access_token import access_token
from bench.client import Client
from bench.gateway import SESSION_SECRET, protect
from bench.jose import SigningKey
from bench.login import login
from bench.nginx import Nginx, Settings, location, server
from bench.proc import free_port
from bench.redis_server import RedisServer
from bench.scripted_op import ScriptedOp

RECORD = 3072  # bytes of a sealed session with such tokens
CHUNK = 50_000  # of sessions that Redis is filled with by one command
TOKEN = 1200  # bytes of the access token, about what Keycloak makes
PROXY = "proxy_pass http://application; proxy_http_version 1.1; proxy_set_header Connection \"\";"

# The gateways: nginx without the module, with it and its cache, with it and without a cache.
BARE, CACHED, ASKING = "bare", "cached", "asking"


@dataclass(frozen=True)
class Path:
    name: str
    gateway: str
    place: str
    credential: str = ""  # "session", or "bearer" with the token's algorithm
    beside: str = "limit"  # the Path that it is compared with
    goal: float = 0.0  # ratio to that one's CPU; 0: none

    @property
    def key(self) -> str:
        return {("bare", "/header"): "limit", ("bare", "/plain", "bearer RS256"): "carried"}.get(
            (self.gateway, self.place, self.credential)[:3 if self.credential else 2], self.name)


PATHS = [
    Path("plain proxying", BARE, "/plain"),
    Path("the limit: plain, adds a header of 1.2 kB", BARE, "/header"),
    Path("plain, the request has a token", BARE, "/plain", "bearer RS256"),
    Path("module loaded, oidc off", CACHED, "/plain", beside="plain proxying", goal=1.0),
    Path("session in shm", CACHED, "/shm", "session", goal=1.05),
    Path("session in Redis", CACHED, "/redis", "session", goal=1.05),
    Path("session in shm, no worker cache", ASKING, "/shm", "session", goal=1.08),
    Path("session in Redis, asked each time", ASKING, "/redis", "session", goal=1.6),
    Path("session in cookies", CACHED, "/cookie", "session", goal=1.5),
    Path("session in shm, 20 rules, 5 claim headers", CACHED, "/rules", "session",
         beside="session in shm"),
    Path("bearer JWT seen before", CACHED, "/bearer", "bearer RS256", beside="carried", goal=1.08),
    Path("bearer JWT never seen, RS256", CACHED, "/bearer-anew", "bearer RS256"),
    Path("bearer JWT never seen, ES256", CACHED, "/bearer-anew-ES256", "bearer ES256"),
    Path("bearer JWT never seen, EdDSA", CACHED, "/bearer-anew-EdDSA", "bearer EdDSA"),
]


# All of them hold for the provider's tokens.
RULES = """
    oidc_roles_required admin "editor reviewer" user;
    oidc_groups_required staff;
    oidc_scopes_required openid;
    oidc_audience_required other api;
    oidc_claims_forbidden act may_act;
    oidc_require sub = alice;
    oidc_require sub != mallory;
    oidc_require sub in bob carol alice;
    oidc_require sub matches "[a-z]+";
    oidc_require iss matches "https?://.*";
    oidc_require exp > 1700000000;
    oidc_require iat >= 1700000000;
    oidc_require groups contains staff;
    oidc_require groups != banned;
    oidc_require address.country = DE;
    oidc_require address.city exists;
    oidc_require level >= 2;
    oidc_require level < 9;
    oidc_require email_verified = true;
    oidc_require email matches "[a-z.]+@example\\.com";
    oidc_upstream_header X-Sub sub;
    oidc_upstream_header X-Email email;
    oidc_upstream_header X-Groups groups;
    oidc_upstream_header X-Level level;
    oidc_upstream_header X-City address.city;
"""
CLAIMS = {"roles": ["reader", "user"], "groups": ["sales", "staff"], "level": 3,
          "address": {"country": "DE", "city": "Ulm"}, "email": "alice@example.com",
          "email_verified": True}


def application(settings: Settings, port: int) -> Nginx:
    """An upstream that costs next to nothing, in a process of its own."""
    body = location("/", "return 200 hello;")
    return Nginx(settings, "application").start(server(port, body), port, level="error")


def with_real_sized_tokens(provider):
    """An access token of 1.2 kB: what is between base64url's 4/3, header and signature."""
    provider.token_life = 3600
    provider.access_claims = dict(CLAIMS)
    plain = len(provider.issue({})["access_token"])
    provider.access_claims["pad"] = "x" * ((TOKEN - plain) * 3 // 4 - 10)
    return provider


def access_token_header(provider) -> str:
    """One of the same size, and good for years."""
    plain = len(access_token(provider, pad=""))
    pad = "x" * ((TOKEN - plain) * 3 // 4)
    return "Authorization: Bearer " + access_token(provider, pad=pad, exp=4_000_000_000)


def with_signer(provider, alg: str):
    provider.signer = SigningKey(alg)
    provider.keys = [provider.signer]
    return provider


def plain_places() -> list[str]:
    return [location("/plain", PROXY),
            location("/header",
                     f'{PROXY} proxy_set_header Authorization "Bearer {"x" * TOKEN}";')]


def protected_places(op: ScriptedOp, redis: RedisServer) -> list[str]:
    shm, stored, sealed = (with_real_sized_tokens(op.provider(name))
                           for name in ("shm", "redis", "cookie"))
    places = [
        location("/shm", protect(shm) + PROXY),
        location("/rules", protect(shm) + RULES + PROXY),
        location("/redis", protect(
            stored, redirect_uri="/callback-redis", session_storage="redis",
            session_secret=SESSION_SECRET, redis_port=redis.port) + PROXY),
        location("/cookie", protect(
            sealed, redirect_uri="/callback-cookie", session_storage="cookie",
            session_secret=SESSION_SECRET) + PROXY)]
    judged = {"auth_methods": "bearer", "audience_required": "api"}
    places.append(location("/bearer", protect(op.provider("RS256"), **judged) + PROXY))
    places.append(location("/bearer-anew", protect(op.provider("RS256"), cache_tokens="off",
                                                   **judged) + PROXY))
    for alg in ("ES256", "EdDSA"):
        places.append(location(f"/bearer-anew-{alg}", protect(
            with_signer(op.provider(alg), alg), cache_tokens="off", **judged) + PROXY))
    return places


def configuration(upstream: int, port: int, places: list[str], more: str = "") -> str:
    return (f"upstream application {{ server 127.0.0.1:{upstream}; keepalive 64; }}\n"
            f"access_log off;\n{more}\n" + server(port, "\n".join(places)))


class Bench:
    """Provider, Redis, application and the gateways.

    `wrapper`: a program that runs a gateway. `sessions`: how many others Redis holds already.
    """

    def __init__(self, settings: Settings, wrapper=(), main: str = "", sessions: int = 0):
        self._settings, self._wrapper, self._main = settings, list(wrapper), main
        self._sessions = sessions
        self._running = []
        self._credentials: dict[tuple[str, str], str] = {}

    def __enter__(self):
        try:
            self._start()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        for process in reversed(self._running):
            process.stop()

    def _start(self):
        self.op, self.redis = ScriptedOp(), RedisServer()
        self._running += [self.op, self.redis]
        for start in range(0, self._sessions, CHUNK):
            self.redis.command("DEBUG", "POPULATE", min(CHUNK, self._sessions - start),
                               f"session:{start}", RECORD)
        self.application_port = upstream = free_port()
        self._running.append(application(self._settings, upstream))
        protected = plain_places() + protected_places(self.op, self.redis)
        bare = Settings(None, self._settings.binary)
        self._gateways = {
            BARE: self._gateway(BARE, bare, upstream, plain_places()),
            CACHED: self._gateway(CACHED, self._settings, upstream, protected,
                                  "oidc_session_cache 16m;"),
            ASKING: self._gateway(ASKING, self._settings, upstream, protected,
                                  "oidc_session_cache off;"),
        }

    def _gateway(self, name: str, settings: Settings, upstream: int, places, more="") -> Nginx:
        gateway = Nginx(settings, name)
        gateway.wrapper = self._wrapper
        self._running.append(gateway)
        port = free_port()
        return gateway.start(configuration(upstream, port, places, more), port, level="error",
                             main=self._main)

    def gateway(self, path: Path) -> Nginx:
        return self._gateways[path.gateway]

    def origin(self, path: Path) -> str:
        return f"http://127.0.0.1:{self.gateway(path).port}"

    def worker(self, path: Path) -> int:
        """The process that serves."""
        gateway = self.gateway(path)
        return (gateway.workers() or [gateway.process.pid])[0]

    def header(self, path: Path) -> str:
        """Of whoever may pass there; a session's comes from a login."""
        kind, _, alg = path.credential.partition(" ")
        if not kind:
            return ""
        known = (path.gateway, path.place if kind == "session" else alg)
        if known not in self._credentials:
            self._credentials[known] = (self._session(path) if kind == "session"
                                        else access_token_header(self.op.provider(alg)))
        return self._credentials[known]

    def _session(self, path: Path) -> str:
        client, url = Client(), self.origin(path) + path.place
        answer = login(client, url)
        assert answer.status in (302, 303), answer
        return "Cookie: " + client.cookie_header(url)
