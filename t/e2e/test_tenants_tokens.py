"""Many locations that take access tokens: a token judged, and kept, at one decides nothing at another.

Each differs from the first in one thing. `OWN` are the tokens of each: right there, and elsewhere only
where the directives say so. The answer of each pair is the same whether the token was seen before or not.
"""

import pytest
from bench.access_token import AUDIENCE, access_token, bearer, call
from bench.gateway import protect
from bench.http_server import Answer
from bench.jose import SigningKey
from bench.nginx import location, server
from bench.proc import free_port
from bench.scripted_op import json_answer, random_secret
from bench.tenants import SharedProvider, verdict

ES256 = SigningKey("ES256", "elliptic", 9)
HEADERS = "add_header X-Reason $oidc_error always; add_header X-Outcome $oidc_outcome always;\n"

# What differs at each, and what a token for it has.
JWT = {
    "base": ({}, {}),
    "issuer": ({"issuer": "second"}, {"iss": "second"}),
    "issuers": ({"issuers_allowed": "main second", "extra_jwks_uris": "second"}, {"iss": "second"}),
    "client": ({"client_id": "second"}, {}),
    "audience": ({"audience_required": "reports"}, {"aud": "reports"}),
    "scope": ({"scopes_required": "admin"}, {"scope": "admin"}),
    "rule": ({"require": "sub = bob"}, {"sub": "bob"}),
    "typ": ({"access_token_typ": "at+jwt"}, {"typ": "at+jwt"}),
    "bound": ({"proof_of_possession": "ignore"}, {"cnf": {"jkt": "x" * 43}}),
    "alg": ({"access_token_signing_algs": "ES256"}, {"alg": "ES256"}),
    "other host": ({}, {}),
}
OPAQUE = {
    "base": {},
    "issuer": {"issuer": "second"},
    "client": {"client_id": "second"},
    "audience": {"audience_required": "reports"},
    "argument": {"introspection_post_arg": "resource reports"},
    "rule": {"require": "sub = bob"},
    "uncached": {"cache_introspection": "off"},
    "other host": {},
}
USERINFO = {"base": {}, "issuer": {"issuer": "second"}, "rule": {"require": "sub = bob"},
            "uncached": {"cache_user_info": "off"}, "other host": {}}


class Tokens:
    def __init__(self, make_nginx, upstream, op):
        self.upstream = upstream
        self.providers = {}
        for number, name in enumerate(("main", "second")):
            made = op.providers[f"tokens-{name}"] = SharedProvider(op.origin, f"tokens-{name}")
            made.override["introspect"] = self.introspect
            made.override["userinfo"] = self.userinfo
            self.providers[name] = made
        # Their keys have one name, and are two.
        self.second.signer = SigningKey("RS256", "key-0", 2)
        self.second.keys = [self.second.signer]
        self.main.keys = [*self.main.keys, ES256]
        self.tokens = {}  # opaque ones, by what they were made for
        self.port = free_port()
        jwt = {"auth_methods": "bearer", "audience_required": AUDIENCE}
        opaque = {"auth_methods": "introspection", "audience_required": AUDIENCE}
        userinfo = {"auth_methods": "userinfo", "audience_required": "any"}
        blocks, other = [], []
        for base, kind, all_ in (("/jwt/", jwt, {n: s for n, (s, _) in JWT.items()}),
                                 ("/opaque/", opaque, OPAQUE),
                                 ("/userinfo/", userinfo, USERINFO)):
            for name, settings in all_.items():
                block = self._location(base + name.replace(" ", "-") + "/", {**kind, **settings})
                (other if name == "other host" else blocks).append(block)
        self.nginx = make_nginx(
            HEADERS + server(self.port, "\n".join(blocks))
            + server(self.port, "\n".join(other), names="other.test"), self.port)

    @property
    def main(self):
        return self.providers["main"]

    @property
    def second(self):
        return self.providers["second"]

    def _location(self, path: str, settings: dict) -> str:
        settings = dict(settings)
        provider = self.providers[settings.pop("issuer", "main")]
        for name, suffix in (("issuers_allowed", ""), ("extra_jwks_uris", "/jwks")):
            if name in settings:
                settings[name] = " ".join(self.providers[n].issuer + suffix
                                          for n in settings[name].split())
        return location(path, protect(provider, **settings) + f"proxy_pass {self.upstream.origin};")

    def ask(self, kind: str, name: str, token: str) -> tuple[int, str]:
        host = "other.test" if name == "other host" else "127.0.0.1"
        url = f"http://127.0.0.1:{self.port}/{kind}/{name.replace(' ', '-')}/x"
        seen = len(self.upstream.requests)
        response = call(url, bearer(token), ("Host", f"{host}:{self.port}"))
        assert len(self.upstream.requests) - seen == (response.status == 200)
        return verdict(response)

    def jwt_for(self, name: str) -> str:
        claims = dict(JWT[name][1])
        provider = self.providers[claims.pop("iss", "main")]
        # "JWT" and not "at+jwt": what is not asked for is not there.
        header = {"typ": claims.pop("typ", "JWT")}
        if claims.pop("alg", None):
            header |= {"alg": ES256.alg, "kid": ES256.kid}
            return access_token(provider, header, ES256.sign, **claims)
        return access_token(provider, header, **claims)

    def opaque_for(self, name: str, settings: dict) -> str:
        """The provider knows it for one client, and with one `resource`."""
        token = random_secret("access token")
        self.tokens[token] = {
            "issuer": self.providers[settings.get("issuer", "main")].name,
            "client": settings.get("client_id", "gateway"),
            "resource": "reports" if name == "argument" else None,
            "answer": {"active": True, "sub": "bob" if name == "rule" else "alice",
                       "aud": settings.get("audience_required", AUDIENCE)}}
        return token

    def introspect(self, request):
        form = dict(request.form)
        name = request.path[1:].partition("/")[0]
        asked = {"issuer": name, "client": self.main.client_of(request),
                 "resource": form.get("resource")}
        known = self.tokens.get(form["token"], {"answer": None})
        matches = all(known.get(key) == value for key, value in asked.items())
        return json_answer(known["answer"] if matches else {"active": False})

    def userinfo(self, request):
        token = request.header("Authorization").removeprefix("Bearer ")
        known = self.tokens[token]
        if known["issuer"] != request.path[1:].partition("/")[0]:
            return Answer(401)
        return json_answer({"sub": known["answer"]["sub"]})

    def asked(self, token: str) -> list[tuple[str, str]]:
        """Who asked about it: the provider that it asked, and the client that it was."""
        return [(name, self.main.client_of(r)) for name, p in self.providers.items()
                for r in p.requests
                if r.path.endswith("/introspect") and ("token", token) in r.form]


@pytest.fixture(scope="module")
def tokens(make_nginx, upstream, op):
    return Tokens(make_nginx, upstream, op)


def every_pair(names):
    found = [(a, b) for a in names for b in names if a != b]
    return pytest.mark.parametrize("a, b", found, ids=[f"{a}-at-{b}".replace(" ", "-") for a, b in found])


# ---- JWT ---------------------------------------------------------------------------------------------

def jwt_at(a: str, b: str) -> tuple[int, str]:
    mine, (wants, _) = JWT[a][1], JWT[b]
    issuer = mine.get("iss", "main")
    if "access_token_signing_algs" in wants and mine.get("alg") != "ES256":
        return 401, "jwt_alg_not_allowed"
    if "access_token_typ" in wants and "typ" not in mine:
        return 401, "access_token_kind"
    if issuer not in wants.get("issuers_allowed", wants.get("issuer", "main")).split():
        return 401, "access_token_iss"
    if "cnf" in mine and "proof_of_possession" not in wants:
        return 401, "access_token_bound"
    if mine.get("aud", AUDIENCE) != wants.get("audience_required", AUDIENCE):
        return 401, "access_token_aud"
    if "scopes_required" in wants and mine.get("scope") != "admin":
        return 403, "scope_insufficient"
    if "require" in wants and mine.get("sub") != "bob":
        return 403, "forbidden"
    return 200, ""


@every_pair(JWT)
def test_jwt(tokens, a, b):
    want, token = jwt_at(a, b), tokens.jwt_for(a)
    for where, expected in ((a, (200, "")), (a, (200, "")), (b, want), (b, want), (a, (200, ""))):
        assert tokens.ask("jwt", where, token) == expected, where
    fresh = tokens.jwt_for(a)  # and the other way: a refusal is for where it was said
    for where, expected in ((b, want), (a, (200, "")), (b, want)):
        assert tokens.ask("jwt", where, fresh) == expected, where


@pytest.mark.parametrize("name", ["base", "issuer", "issuers"])
def test_keys_of_one_name(tokens, name):
    """Both providers have a key-0: each signs what the directives say it may, and nothing else."""
    for issuer, signer in ((i, s) for i in ("main", "second") for s in ("main", "second")):
        provider = tokens.providers[issuer]
        token = access_token(provider, {"typ": "JWT"}, tokens.providers[signer].signer.sign)
        allowed = {"base": ["main"], "issuer": ["second"], "issuers": ["main", "second"]}[name]
        if issuer not in allowed:
            want = (401, "access_token_iss")
        else:
            want = (200, "") if signer in allowed else (401, "jwt_signature")
        for _ in range(2):
            assert tokens.ask("jwt", name, token) == want, (issuer, signer)


@pytest.mark.parametrize("change", ["/", "%2F", "#", "?", " ", "upper", "http", "none", "list"])
def test_issuers_are_compared_byte_by_byte(tokens, change):
    main = tokens.main.issuer
    iss = {"upper": main.upper(), "http": main.replace("http:", "https:"), "none": None,
           "list": [main]}.get(change, main + change)
    token = access_token(tokens.main, {"typ": "JWT"}, iss=iss)
    for name in ("base", "issuers", "issuer"):
        assert tokens.ask("jwt", name, token) == (401, "access_token_iss"), name


# ---- opaque tokens -----------------------------------------------------------------------------------

def opaque_at(a: str, b: str) -> tuple[int, str]:
    mine, wants = OPAQUE[a], OPAQUE[b]
    for what in ("issuer", "client_id", "introspection_post_arg"):
        if mine.get(what) != wants.get(what):
            return 401, "token_inactive"
    if mine.get("audience_required") != wants.get("audience_required"):
        return 401, "access_token_aud"
    if "require" in wants:
        return 403, "forbidden"
    return 200, ""


@every_pair(OPAQUE)
def test_opaque(tokens, a, b):
    """B asks its own provider as its own client, whatever A has heard before."""
    want, token = opaque_at(a, b), tokens.opaque_for(a, OPAQUE[a])
    for where, expected in ((a, (200, "")), (a, (200, "")), (b, want), (b, want), (a, (200, ""))):
        assert tokens.ask("opaque", where, token) == expected, where
    calls = []
    for name, requests in ((a, 3), (b, 2)):
        who = (OPAQUE[name].get("issuer", "main"), OPAQUE[name].get("client_id", "gateway"))
        calls += [who] * (requests if name == "uncached" else 1)
    assert sorted(tokens.asked(token)) == sorted(calls)


# ---- tokens that open userinfo -----------------------------------------------------------------------

@every_pair(USERINFO)
def test_userinfo(tokens, a, b):
    mine, wants = USERINFO[a], USERINFO[b]
    token = tokens.opaque_for(a, mine)
    if mine.get("issuer") != wants.get("issuer"):
        want = (401, "token_inactive")
    else:
        want = (403, "forbidden") if "require" in wants else (200, "")
    for where, expected in ((a, (200, "")), (a, (200, "")), (b, want), (b, want), (a, (200, ""))):
        assert tokens.ask("userinfo", where, token) == expected, where
