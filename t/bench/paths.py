"""What the benchmarks compare: the paths of one gateway, and everything around it on loopback."""

from bench.access_token import access_token
from bench.client import Client
from bench.gateway import SESSION_SECRET, protect
from bench.login import login
from bench.nginx import Nginx, Settings, location, server
from bench.proc import free_port
from bench.redis_server import RedisServer
from bench.scripted_op import ScriptedOp

RECORD = 3072  # bytes of a sealed session with such tokens
CHUNK = 50_000  # of sessions that Redis is filled with by one command
TOKEN = 1200  # bytes of the access token, about what Keycloak makes
PROXY = "proxy_pass http://application; proxy_http_version 1.1; proxy_set_header Connection \"\";"

LIMIT = "/header"
TOKENS = "/bearer"
# name, path, whether a credential belongs to it
PATHS = [
    ("plain proxying", "/plain", False),
    ("plain, with a 1.2 kB header added", LIMIT, False),
    ("session in shm", "/shm", True),
    ("session in shm, 20 rules", "/rules", True),
    ("session in Redis", "/redis", True),
    ("bearer token, judged before", TOKENS, True),
    ("bearer token, judged each time", TOKENS + "-anew", True),
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


def configuration(upstream: int, port: int, op: ScriptedOp, redis: RedisServer,
                  cache: str) -> str:
    shm, stored = (with_real_sized_tokens(op.provider(name)) for name in ("shm", "redis"))
    token = "x" * TOKEN
    body = "\n".join([
        location("/plain", PROXY),
        location(LIMIT, f'{PROXY} proxy_set_header Authorization "Bearer {token}";'),
        location("/shm", protect(shm) + PROXY),
        location("/rules", protect(shm) + RULES + PROXY),
        location("/redis", protect(
            stored, redirect_uri="/callback-redis", session_storage="redis",
            session_secret=SESSION_SECRET, redis_port=redis.port) + PROXY),
        location(TOKENS, protect(op.provider("bearer"), auth_methods="bearer",
                                 audience_required="api") + PROXY),
        location(TOKENS + "-anew", protect(op.provider("bearer"), auth_methods="bearer",
                                           audience_required="api", cache_tokens="off") + PROXY)])
    return (f"upstream application {{ server 127.0.0.1:{upstream}; keepalive 64; }}\n"
            + f"access_log off;\noidc_session_cache {cache};\n" + server(port, body))


class Bench:
    """Provider, Redis, application and gateway.

    `wrapper`: a program that runs the gateway. `sessions`: how many others Redis holds already.
    `cache`: oidc_session_cache.
    """

    def __init__(self, settings: Settings, wrapper=(), main: str = "", sessions: int = 0,
                 cache: str = "16m"):
        self._settings, self._wrapper, self._main = settings, list(wrapper), main
        self._sessions, self._cache = sessions, cache
        self._running = []

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
        self._running += [op := ScriptedOp(), redis := RedisServer()]
        self.op = op
        for start in range(0, self._sessions, CHUNK):
            redis.command("DEBUG", "POPULATE", min(CHUNK, self._sessions - start),
                          f"session:{start}", RECORD)
        port, upstream = free_port(), free_port()
        self._running.append(application(self._settings, upstream))
        self.gateway = Nginx(self._settings, "gateway")
        self.gateway.wrapper = self._wrapper
        self._running.append(self.gateway)
        self.gateway.start(configuration(upstream, port, op, redis, self._cache), port,
                           level="error", main=self._main)
        self.origin = f"http://127.0.0.1:{port}"

    def credential(self, path: str) -> str:
        """The header of whoever may pass there; a session's after a login."""
        if path.startswith(TOKENS):
            provider = self.op.provider("bearer")
            plain = len(access_token(provider, pad=""))
            pad = "x" * ((TOKEN - plain) * 3 // 4)
            return "Authorization: Bearer " + access_token(provider, pad=pad, exp=4_000_000_000)
        client = Client()
        answer = login(client, self.origin + path)
        assert answer.status in (302, 303), answer
        return "Cookie: " + client.cookie_header(self.origin + path)
