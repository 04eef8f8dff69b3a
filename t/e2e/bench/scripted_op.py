"""A provider that does what it is told: right by default, wrong in exactly one place per test.

One server holds any number of providers; each has an issuer of its own, ORIGIN/NAME, so that a
test shares no cached document with another one.
"""

import base64
import hashlib
import html
import json
import secrets
import time
from urllib.parse import unquote_plus, urlencode

from . import canary
from .http_server import Answer, HttpServer, Request
from .jose import SigningKey, b64u, compact, half_hash

CLIENT_ID = "gateway"
CLIENT_SECRET = "scripted-provider-client-secret-0123456789"
canary.plant("client secret", CLIENT_SECRET)


def random_secret(kind: str) -> str:
    return canary.plant(kind, f"{kind[:2]}-{secrets.token_urlsafe(24)}")


def json_answer(data, status: int = 200, **options) -> Answer:
    return Answer(status=status, body=json.dumps(data).encode(), **options)


def same(value):
    return value


class Provider:
    """All attributes may be changed by a test. `override[ENDPOINT]` is an Answer, or a function
    of the Request that returns one or None (= as usual). ENDPOINT is the last path segment."""

    def __init__(self, origin: str, name: str):
        self.name = name
        self.issuer = f"{origin}/{name}" if name else origin
        self.keys = [SigningKey()]
        self.signer = self.keys[0]
        self.override: dict = {}
        self.edit_metadata = same  # dict -> dict
        self.edit_jwks = same  # dict -> dict
        self.edit_claims = same  # dict -> dict
        self.edit_header = same  # JOSE header -> JOSE header
        self.make_id_token = self.sign_id_token  # claims -> compact JWS
        self.edit_token_answer = same  # dict -> dict
        self.edit_callback = same  # list of (name, value) -> the same
        self.client_id = CLIENT_ID
        self.client_secret: str | None = CLIENT_SECRET
        self.token_life = 300
        self.claims: dict = {"sub": "alice"}  # of the next login's user
        self.userinfo: dict = {"sub": "alice", "email": "alice@example.test"}
        self.opaque = False  # access tokens that are no JWT
        self.rotate_refresh = True
        self.access_claims: dict = {}  # further ones of the access token
        self.introspection: dict = {"active": True, "sub": "alice", "aud": "api"}
        self.requests: list[Request] = []
        self.violations: list[str] = []  # what a strict provider would have refused
        self._codes: dict[str, dict] = {}
        self._refresh: dict[str, dict] = {}
        self._used_refresh: set[str] = set()

    # Endpoints

    def metadata(self) -> dict:
        return self.edit_metadata({
            "issuer": self.issuer,
            "authorization_endpoint": f"{self.issuer}/authorize",
            "token_endpoint": f"{self.issuer}/token",
            "userinfo_endpoint": f"{self.issuer}/userinfo",
            "end_session_endpoint": f"{self.issuer}/end_session",
            "revocation_endpoint": f"{self.issuer}/revoke",
            "introspection_endpoint": f"{self.issuer}/introspect",
            "jwks_uri": f"{self.issuer}/jwks",
            "response_types_supported": ["code"],
            "response_modes_supported": ["query", "form_post"],
            "grant_types_supported": ["authorization_code", "refresh_token"],
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": [
                "RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512",
                "EdDSA"],
            "token_endpoint_auth_methods_supported": [
                "client_secret_basic", "client_secret_post", "none"],
            "code_challenge_methods_supported": ["S256"],
            "authorization_response_iss_parameter_supported": True,
        })

    def jwks(self) -> dict:
        return self.edit_jwks({"keys": [k.jwk() for k in self.keys]})

    def respond(self, request: Request, endpoint: str) -> Answer:
        self.requests.append(request)
        override = self.override.get(endpoint)
        if callable(override):
            override = override(request)
        if override is not None:
            return override
        handler = getattr(self, f"_{endpoint.replace('-', '_')}", None)
        return handler(request) if handler else Answer(404, b"no such endpoint", "text/plain")

    def right_token(self, request: Request) -> Answer:
        """What the token endpoint says when nothing overrides it."""
        return self._token(request)

    def count(self, endpoint: str) -> int:
        return sum(r.path.endswith("/" + endpoint) for r in self.requests)

    def last(self, endpoint: str) -> Request:
        return [r for r in self.requests if r.path.endswith("/" + endpoint)][-1]

    def _openid_configuration(self, request: Request) -> Answer:
        return json_answer(self.metadata())

    def _jwks(self, request: Request) -> Answer:
        return json_answer(self.jwks())

    def _authorize(self, request: Request) -> Answer:
        asked = dict(request.query)
        if len(asked) != len(request.query):
            self.violations.append(f"duplicated authorization parameters: {request.query}")
        code = random_secret("code")
        canary.plant("state", asked.get("state"))
        self._codes[code] = asked
        fields = [("code", code), ("state", asked.get("state", "")), ("iss", self.issuer)]
        return self.callback(asked, fields)

    def callback(self, asked: dict, fields: list) -> Answer:
        """The authorization response, in the mode that was asked for."""
        fields = self.edit_callback(fields)
        target = asked["redirect_uri"]
        if asked.get("response_mode", "query") == "form_post":
            inputs = "".join(
                f'<input type="hidden" name="{html.escape(n)}" value="{html.escape(v)}"/>'
                for n, v in fields)
            page = (f'<body onload="document.forms[0].submit()"><form method="post" '
                    f'action="{html.escape(target)}">{inputs}</form></body>')
            return Answer(body=page.encode(), content_type="text/html")
        location = f"{target}{'&' if '?' in target else '?'}{urlencode(fields)}"
        return Answer(302, headers=(("Location", location),), content_type=None)

    def deny(self, error: str, description: str = "as the test wants it"):
        """For override["authorize"]: an error answer."""
        def answer(request: Request) -> Answer:
            asked = dict(request.query)
            return self.callback(asked, [("error", error), ("error_description", description),
                                         ("state", asked["state"]), ("iss", self.issuer)])
        return answer

    def _token(self, request: Request) -> Answer:
        form = dict(request.form)
        canary.plant("code verifier", form.get("code_verifier"))
        if problem := self._client_problem(request, form):
            return json_answer({"error": "invalid_client", "error_description": problem}, 401)
        if form.get("grant_type") == "refresh_token":
            return self._refresh_grant(form)
        asked = self._codes.pop(form.get("code", ""), None)
        if problem := self._code_problem(asked, form):
            self.violations.append(problem)
            return json_answer({"error": "invalid_grant", "error_description": problem}, 400)
        return json_answer(self.edit_token_answer(self.issue(asked, form["code"])),
                           headers=(("Cache-Control", "no-store"),))

    def _client_problem(self, request: Request, form: dict) -> str | None:
        client, secret = form.get("client_id"), form.get("client_secret")
        if basic := request.header("Authorization"):
            if "client_secret" in form:
                self.violations.append("two ways of client authentication at once")
            decoded = base64.b64decode(basic.partition(" ")[2]).decode()
            client, secret = (unquote_plus(part) for part in decoded.split(":", 1))
        if (client, secret) != (self.client_id, self.client_secret):
            return "client authentication failed"
        return None

    def _code_problem(self, asked: dict | None, form: dict) -> str | None:
        if asked is None:
            return "unknown or used code"
        if form.get("grant_type") != "authorization_code":
            return f"grant_type {form.get('grant_type')}"
        if form.get("redirect_uri") != asked["redirect_uri"]:
            return "redirect_uri differs from the authorization request's"
        if challenge := asked.get("code_challenge"):
            digest = hashlib.sha256(form.get("code_verifier", "").encode()).digest()
            if asked.get("code_challenge_method") != "S256" or b64u(digest) != challenge:
                return "PKCE verification failed"
        return None

    def _refresh_grant(self, form: dict) -> Answer:
        token = form.get("refresh_token", "")
        login = self._refresh.get(token)
        if login is None or token in self._used_refresh:
            self.violations.append("a refresh token was used twice" if login else
                                   "an unknown refresh token")
            return json_answer({"error": "invalid_grant"}, 400)
        if self.rotate_refresh:
            self._used_refresh.add(token)
        answer = self.issue(login)
        if not self.rotate_refresh:
            del answer["refresh_token"]
        return json_answer(self.edit_token_answer(answer))

    def _userinfo(self, request: Request) -> Answer:
        return json_answer(self.userinfo)

    def _revoke(self, request: Request) -> Answer:
        return Answer(200)

    def _introspect(self, request: Request) -> Answer:
        if problem := self._client_problem(request, dict(request.form)):
            return json_answer({"error": "invalid_client", "error_description": problem}, 401)
        return json_answer(self.introspection)

    def _end_session(self, request: Request) -> Answer:
        asked = dict(request.query)
        target = asked.get("post_logout_redirect_uri")
        if not target:
            return Answer(body=b"<p>You are logged out", content_type="text/html")
        if "state" in asked:
            target += f"{'&' if '?' in target else '?'}{urlencode({'state': asked['state']})}"
        return Answer(302, headers=(("Location", target),), content_type=None)

    # Tokens

    def issue(self, asked: dict, code: str | None = None) -> dict:
        """The token endpoint's answer for one login."""
        now = int(time.time())
        access = self._access_token(now)
        refresh = random_secret("refresh token")
        self._refresh[refresh] = asked
        claims = {"iss": self.issuer, "aud": self.client_id, "azp": self.client_id, "iat": now,
                  "exp": now + self.token_life, "auth_time": asked.setdefault("auth_time", now),
                  "at_hash": half_hash(self.signer.alg, access), **self.claims}
        if code:
            claims["nonce"] = asked.get("nonce")
        id_token = canary.plant("ID token", self.make_id_token(self.edit_claims(claims)))
        return {"access_token": access, "token_type": "Bearer", "expires_in": self.token_life,
                "refresh_token": refresh, "id_token": id_token, "scope": "openid"}

    def sign_id_token(self, claims: dict | bytes) -> str:
        header = self.edit_header(self.header())
        return compact(header, claims, lambda data: self.signer.sign(data, header.get("alg")))

    def header(self) -> dict:
        header = {"alg": self.signer.alg, "typ": "JWT", "kid": self.signer.kid}
        return {name: value for name, value in header.items() if value is not None}

    def _access_token(self, now: int) -> str:
        if self.opaque:
            return random_secret("access token")
        claims = {"iss": self.issuer, "sub": self.claims.get("sub"), "aud": "api", "iat": now,
                  "exp": now + self.token_life, "jti": secrets.token_hex(8), **self.access_claims}
        return canary.plant("access token", compact(self.header(), claims, self.signer.sign))

    def rotate(self, number: int) -> SigningKey:
        """A new signing key in place of the old one."""
        self.signer = SigningKey("RS256", f"key-{number}", number)
        self.keys = [self.signer]
        return self.signer


class ScriptedOp(HttpServer):
    def __init__(self, port: int = 0, certificate=None):
        self.providers: dict[str, Provider] = {}
        super().__init__(port, certificate)

    def provider(self, name: str) -> Provider:
        """The provider of that name, made when it does not exist."""
        if name not in self.providers:
            self.providers[name] = Provider(self.origin, name)
        return self.providers[name]

    def respond(self, request: Request) -> Answer:
        name, _, endpoint = request.path[1:].partition("/")
        provider = self.providers.get(name)
        if provider is None:
            return Answer(404, b"no such provider", "text/plain")
        return provider.respond(request, endpoint.rpartition("/")[2])
