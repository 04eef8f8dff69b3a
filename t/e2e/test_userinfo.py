"""The userinfo endpoint: claims of a login, and the judge of access tokens."""

import base64
import json
import time
from urllib.parse import unquote

import pytest
from bench import canary
from bench.access_token import access_token, bearer, call, refused
from bench.client import XHR, Client
from bench.gateway import SESSION_SECRET, Site, protect
from bench.http_server import Answer
from bench.jose import SigningKey, compact
from bench.login import at_provider, begin, deliver, login
from bench.nginx import Nginx, directives, location, server
from bench.oidc_provider import CLIENT_ID, CLIENT_SECRET
from bench.proc import free_port
from bench.upstream import Echo

ALICE = {"sub": "alice", "email": "alice@example.test", "groups": ["staff"]}


def answer(data, status: int = 200, kind: str = "application/json") -> Answer:
    body = data if isinstance(data, bytes) else json.dumps(data).encode()
    return Answer(status, body, kind)


def signed(provider, claims, key: SigningKey | None = None, **header) -> Answer:
    key = key or provider.signer
    head = {"alg": key.alg, "kid": key.kid, **header}
    return answer(compact(head, claims, key.sign).encode(), kind="application/jwt")


def decoded(value: str) -> dict:
    return json.loads(base64.urlsafe_b64decode(value + "=" * (-len(value) % 4)))


# ---- at the login ---------------------------------------------------------------------------------

@pytest.fixture(scope="module")
def site(make_nginx, upstream, op):
    provider = op.provider("userinfo")
    proxy = f"proxy_pass {upstream.origin};"
    asks = {"userinfo": "login", "upstream_user_info_header": "X-Userinfo",
            "upstream_header": "X-Email email"}
    return Site(make_nginx, upstream, provider, "\n".join([
        location("/", protect(provider) + proxy),
        location("/asks/", protect(provider, **asks)
                 + "add_header X-Variable $oidc_userinfo; " + proxy),
        location("/staff/", protect(provider, **asks, groups_required="staff") + proxy),
        location("/admin/", protect(provider, **asks, groups_required="admin") + proxy),
        location("/signed/", protect(provider, **asks, userinfo_accept="application/jwt")
                 + proxy)]))


@pytest.fixture(autouse=True)
def right_again(request):
    yield
    if "site" in request.fixturenames:
        provider = request.getfixturevalue("site").provider
        provider.userinfo, provider.claims = ALICE, {"sub": "alice"}
        provider.override.pop("userinfo", None)


def test_its_claims_are_the_sessions(site):
    site.provider.userinfo = {**ALICE, "name": "Zoë\r\nX-Evil: 1"}
    asked = site.provider.count("userinfo")
    client = Client()
    site.login(client, "/asks/page")
    request = site.provider.last("userinfo")
    assert request.method == "GET" and request.header("Accept") == "application/json"
    echo = site.echo(client, "/asks/page", )
    assert request.header("Authorization") == f"Bearer {echo.bearer}"
    assert decoded(echo.header("X-Userinfo")) == site.provider.userinfo
    assert echo.header("X-Email") == "alice@example.test"
    assert echo.header("X-Evil") is None
    response = client.get(site.url("/asks/page"))
    assert json.loads(unquote(response.header("X-Variable"))) == site.provider.userinfo
    assert client.get(site.url("/staff/x")).status == 200
    assert client.get(site.url("/admin/x")).status == 403
    assert site.provider.count("userinfo") == asked + 1


def test_clients_copies_are_cleared(site):
    client = Client()
    site.login(client)
    for path in ("/x", "/asks/x"):
        response = client.get(site.url(path), [*XHR, ("X-Userinfo", "forged"),
                                               ("x_userinfo", "forged")])
        assert b"forged" not in response.body


def test_nobody_is_asked_where_that_is_not_said(site):
    asked = site.provider.count("userinfo")
    client = Client()
    site.login(client)
    assert site.echo(client).bearer
    assert site.provider.count("userinfo") == asked
    assert client.get(site.url("/asks/x")).status == 401, "that session has none"
    site.login(client, "/asks/x")
    assert client.get(site.url("/asks/x")).status == 200
    assert client.get(site.url("/x")).status == 200


def test_tokens_come_first(site):
    site.provider.claims = {"sub": "alice", "email": "token@example.test"}
    client = Client()
    site.login(client, "/asks/x")
    assert site.echo(client, "/asks/x").header("X-Email") == "token@example.test"


BROKEN = {
    "another subject": (answer({**ALICE, "sub": "bob"}), "userinfo_sub"),
    "case of the subject": (answer({**ALICE, "sub": "Alice"}), "userinfo_sub"),
    "no subject": (answer({"email": "x"}), "userinfo_invalid"),
    "empty subject": (answer({"sub": ""}), "userinfo_invalid"),
    "null subject": (answer({"sub": None}), "userinfo_invalid"),
    "list as subject": (answer({"sub": ["alice"]}), "userinfo_invalid"),
    "subject twice": (answer(b'{"sub": "alice", "sub": "alice"}'), "userinfo_invalid"),
    "no object": (answer(["alice"]), "userinfo_invalid"),
    "no JSON": (answer(b"sub=alice"), "userinfo_invalid"),
    "nothing": (answer(b""), "userinfo_invalid"),
    "deep": (answer(b'{"sub": "alice", "x": ' + b"[" * 100 + b"]" * 100 + b"}"),
             "userinfo_invalid"),
    "HTML": (answer(ALICE, kind="text/html"), "userinfo_invalid"),
    "other type": (answer(ALICE, kind="text/json"), "userinfo_invalid"),
    "unsigned as signed": (answer(ALICE, kind="application/jwt"), "userinfo_invalid"),
    "201": (answer(ALICE, 201), "userinfo_invalid"),
    "redirect": (Answer(302, b"", headers=(("Location", "/userinfo/userinfo"),)),
                 "userinfo_invalid"),
    "400": (answer(ALICE, 400), "userinfo_invalid"),
    "401": (answer(ALICE, 401), "userinfo_invalid"),
    "403": (answer(ALICE, 403), "userinfo_invalid"),
    "404": (answer(ALICE, 404), "userinfo_invalid"),
    "429": (answer(ALICE, 429), "provider_overloaded"),
    "500": (answer(ALICE, 500), "provider_overloaded"),
    "large": (answer({**ALICE, "x": "y" * 40_000}), "provider_answer_too_large"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_no_wrong_answer_lets_anybody_in(site, upstream, name):
    site.provider.override["userinfo"], reason = BROKEN[name]
    client, log = Client(), site.nginx.view()
    response = login(client, site.url("/asks/broken"))
    assert response.status in (502, 503), response
    assert response.header("Location") is None
    assert not [c for c in client.cookies() if "session" in c.name]
    assert reason in log.reasons(), log.text()
    assert client.get(site.url("/asks/broken")).status == 401
    assert not upstream.seen("/asks/broken")


def test_signed_answers(site):
    provider = site.provider
    good = {**ALICE, "iss": provider.issuer, "aud": provider.client_id}
    stranger = SigningKey("RS256", "stranger", 77)
    same_kid = SigningKey("RS256", provider.signer.kid, 78)
    hmac = {"alg": "HS256"}
    cases = [
        (signed(provider, good), None), (signed(provider, ALICE), None),
        (signed(provider, good, stranger), "userinfo_invalid"),
        (signed(provider, good, same_kid), "userinfo_invalid"),
        (signed(provider, good, alg="none"), "userinfo_invalid"),
        (signed(provider, good, **hmac), "userinfo_invalid"),
        (signed(provider, good, crit=["x"]), "userinfo_invalid"),
        (signed(provider, {**good, "iss": "https://evil.test"}), "userinfo_invalid"),
        (signed(provider, {**good, "aud": "other"}), "userinfo_invalid"),
        (signed(provider, {**good, "exp": int(time.time()) - 600}), "userinfo_invalid"),
        (signed(provider, {**good, "sub": "bob"}), "userinfo_sub")]
    for given, reason in cases:
        provider.override["userinfo"] = given
        client, log = Client(), site.nginx.view()
        response = login(client, site.url("/asks/x"))
        if reason is None:
            assert client.get(site.url("/asks/x")).status == 200, response
        else:
            assert response.status == 502 and reason in log.reasons(), (reason, log.text())
            assert client.get(site.url("/asks/x")).status == 401


def test_only_signed_ones_where_that_is_said(site):
    assert login(Client(), site.url("/signed/x")).status == 502
    assert site.provider.last("userinfo").header("Accept") == "application/jwt"
    site.provider.override["userinfo"] = signed(site.provider, ALICE)
    client = Client()
    site.login(client, "/signed/x")
    assert site.echo(client, "/signed/x").header("X-Email") == "alice@example.test"


def test_the_signed_form_as_a_header(make_nginx, upstream, op):
    """In both directions, of sessions and of access tokens; nothing where the answer was plain."""
    provider = op.provider("userinfo-jwt")
    names = {"upstream_user_info_jwt_header": "X-Jwt", "downstream_user_info_jwt_header": "X-Jwt",
             "downstream_user_info_header": "X-Userinfo"}
    proxy = f"proxy_pass {upstream.origin};"
    site = Site(make_nginx, upstream, provider, "\n".join([
        location("/", protect(provider, userinfo="login", **names) + proxy),
        location("/api/", protect(provider, auth_methods="userinfo", audience_required="any",
                                  userinfo_accept="application/jwt", **names) + proxy)]))
    provider.override["userinfo"] = given = signed(provider, ALICE)
    client = Client()
    site.login(client, "/")
    for response in (*(client.get(site.url("/")) for _ in range(2)),
                     *(call(site.url("/api/"), bearer(access_token(provider))) for _ in range(2))):
        assert response.status == 200, response
        assert response.header("X-Jwt") == given.body.decode() == Echo(response.body).header("X-Jwt")
        assert decoded(response.header("X-Userinfo")) == ALICE
    provider.override["userinfo"] = answer(ALICE)
    client = Client()
    site.login(client, "/")
    response = client.get(site.url("/"))
    assert response.all("X-Jwt") == [] == Echo(response.body).all("X-Jwt")
    assert decoded(response.header("X-Userinfo")) == ALICE


def test_an_endpoint_that_never_answers(make_nginx, upstream, op):
    provider = op.provider("userinfo-slow")
    provider.override["userinfo"] = Answer(hang=True)
    site = Site(make_nginx, upstream, provider, userinfo="login", timeout="1s")
    client, began = Client(), time.monotonic()
    response = login(client, site.url("/x"))
    assert response.status in (502, 503, 504), response
    assert time.monotonic() - began < 20
    assert client.get(site.url("/x")).status == 401


def test_a_provider_without_the_endpoint_and_one_that_is_named(make_nginx, upstream, op):
    provider, other = op.provider("userinfo-none"), op.provider("userinfo-other")
    provider.edit_metadata = lambda data: {n: v for n, v in data.items() if n != "userinfo_endpoint"}
    site = Site(make_nginx, upstream, provider, userinfo="login")
    assert login(Client(), site.url("/x")).status == 502
    site = Site(make_nginx, upstream, provider, userinfo="login", upstream_header="X-Email email",
                userinfo_endpoint=f"{other.issuer}/userinfo")
    client = Client()
    site.login(client, "/x")
    assert site.echo(client, "/x").header("X-Email") == "alice@example.test"


@pytest.mark.parametrize("storage", ["redis", "cookie"])
def test_it_lives_with_the_session(make_nginx, upstream, op, make_redis, storage):
    where = {"session_storage": storage, "session_secret": SESSION_SECRET}
    if storage == "redis":
        where["redis_port"] = make_redis().port
    provider = op.provider(f"userinfo-{storage}")
    provider.token_life = 5
    site = Site(make_nginx, upstream, provider, userinfo="login", upstream_header="X-Email email",
                refresh_before="4s", **where)
    client = Client()
    site.login(client, "/x")
    asked, end = provider.count("token"), time.monotonic() + 30
    while provider.count("token") == asked:
        assert site.echo(client, "/x").header("X-Email") == "alice@example.test"
        assert time.monotonic() < end
        time.sleep(0.1)
    assert site.echo(client, "/x").header("X-Email") == "alice@example.test", "after a refresh too"
    assert provider.count("userinfo") == 1


@pytest.mark.parametrize("alg", [None, "PS256", "EdDSA"])
def test_a_real_provider(make_nginx, upstream, make_oidc_provider, ca, certificate, alg):
    """npm oidc-provider: plain or signed at the login, then its opaque token as a credential."""
    port = free_port()
    origin, context = f"https://localhost:{port}", ca.client_context()
    provider = make_oidc_provider(origin, registration={"userinfo_signed_response_alg": alg})
    common = directives(
        issuer=provider.issuer, client_id=f'"{CLIENT_ID}"', client_secret=f'"{CLIENT_SECRET}"',
        ssl_trusted_certificate=ca.path, scopes="openid profile email", base_url=origin,
        userinfo_accept="application/jwt" if alg else "application/json",
        upstream_user_info_header="X-Userinfo", upstream_header="X-Email email")
    proxy = f"proxy_pass {upstream.origin};"
    make_nginx(server(port, "\n".join([
        location("/", "oidc on; oidc_userinfo login; " + common + proxy),
        location("/api/", "oidc on; oidc_auth_methods userinfo; oidc_audience_required any; "
                 + common + proxy)]), certificate=certificate), port)
    client = Client(context)
    answer_to_login = deliver(client, at_provider(begin(client, origin + "/x"), origin, context))
    assert answer_to_login.status in (302, 303), (answer_to_login, provider.log()[-1500:])
    echo = Echo(client.get(origin + "/x").body)
    said = decoded(echo.header("X-Userinfo"))
    assert said["sub"] == "zoe" and said["groups"] == ["staff", "admins"]
    assert echo.header("X-Email") == said["email"] == "zoe@example.test"
    assert echo.bearer.count(".") < 2, "an opaque token"
    response = call(origin + "/api/x", bearer(echo.bearer), client=Client(context))
    assert response.status == 200, response
    assert Echo(response.body).header("X-Email") == "zoe@example.test"
    refused(call(origin + "/api/x", bearer(opaque("unknown")), client=Client(context)), 401,
            "invalid_token")
    provider.stop()


# ---- access tokens --------------------------------------------------------------------------------

@pytest.fixture(scope="module")
def api(make_nginx, upstream, op):
    provider = op.provider("userinfo-tokens")
    proxy = f"proxy_pass {upstream.origin};"
    only = {"auth_methods": "userinfo", "audience_required": "any"}
    return Site(make_nginx, upstream, provider, "\n".join([
        location("/", protect(provider, **only, upstream_user_info_header="X-Userinfo",
                              upstream_header="X-User sub")
                 + "add_header X-Outcome $oidc_outcome; " + proxy),
        location("/staff/", protect(provider, **only, groups_required="staff") + proxy),
        location("/admin/", protect(provider, **only, groups_required="admin") + proxy),
        location("/fresh/", protect(provider, **only, cache_user_info="off") + proxy),
        location("/pass/", protect(provider, **only, unauthenticated="pass") + proxy),
        location("/both/", protect(provider, auth_methods="bearer userinfo",
                                   audience_required="any") + proxy)]))


def opaque(name: str) -> str:
    return canary.plant("access token", f"opaque-{name}-{time.time_ns()}")


@pytest.fixture(autouse=True)
def right_api(request):
    yield
    if "api" in request.fixturenames:
        provider = request.getfixturevalue("api").provider
        provider.userinfo = ALICE
        provider.override.pop("userinfo", None)


def test_a_token_is_whose_the_provider_says(api):
    api.provider.userinfo = ALICE
    token, asked = opaque("good"), api.provider.count("userinfo")
    for _ in range(5):
        response = call(api.url("/x"), bearer(token), ("X-User", "root"))
        assert response.status == 200, response
        assert response.header("X-Outcome") == "userinfo"
        echo = Echo(response.body)
        assert echo.bearer == token and echo.header("X-User") == "alice"
        assert decoded(echo.header("X-Userinfo")) == ALICE
    assert api.provider.count("userinfo") == asked + 1
    assert api.provider.last("userinfo").header("Authorization") == f"Bearer {token}"
    assert call(api.url("/staff/x"), bearer(token)).status == 200
    refused(call(api.url("/admin/x"), bearer(token)), 403, "insufficient_scope")


def test_without_the_cache(api):
    token, asked = opaque("fresh"), api.provider.count("userinfo")
    for _ in range(3):
        assert call(api.url("/fresh/x"), bearer(token)).status == 200
    assert api.provider.count("userinfo") == asked + 3


@pytest.mark.parametrize("status", [401, 403])
def test_a_token_that_the_provider_refuses(api, status):
    api.provider.override["userinfo"] = answer(ALICE, status)
    token, asked = opaque(str(status)), api.provider.count("userinfo")
    for path in ("/x", "/x"):
        refused(call(api.url(path), bearer(token)), 401, "invalid_token")
    assert api.provider.count("userinfo") == asked + 1
    refused(call(api.url("/pass/x"), bearer(token)), 401, "invalid_token")
    response = Client().navigate(api.url("/x"))
    assert response.status == 401 and response.header("Location") is None


@pytest.mark.parametrize("name", [n for n in BROKEN if n not in ("another subject", "401", "403",
                                                                 "case of the subject")])
def test_no_wrong_answer_is_a_yes(api, upstream, name):
    api.provider.override["userinfo"], reason = BROKEN[name]
    log = api.nginx.view()
    for path in ("/wrong", "/pass/wrong"):
        response = call(api.url(path), bearer(opaque("wrong")))
        assert response.status in (502, 503), response
    assert set(log.reasons()) == {reason}
    assert not upstream.seen("/wrong") and not upstream.seen("/pass/wrong")


def test_jwts_are_verified_before_anybody_is_asked(api):
    assert call(api.url("/x"), bearer(access_token(api.provider))).status == 200
    asked = api.provider.count("userinfo")
    stranger = SigningKey("RS256", "stranger", 66)
    for token in (access_token(api.provider, exp=int(time.time()) - 600),
                  access_token(api.provider, nonce="n"),
                  access_token(api.provider, cnf={"jkt": "x"}),
                  access_token(api.provider, {"typ": "logout+jwt"}),
                  access_token(api.provider, {"kid": stranger.kid}, stranger.sign)):
        refused(call(api.url("/x"), bearer(token)), 401, "invalid_token")
    assert api.provider.count("userinfo") == asked
    response = call(api.url("/x"), bearer(access_token(api.provider, sub="bob")))
    assert response.status == 502, "the endpoint says alice"


def test_beside_bearer(api):
    asked = api.provider.count("userinfo")
    assert call(api.url("/both/x"), bearer(access_token(api.provider))).status == 200
    assert api.provider.count("userinfo") == asked
    assert call(api.url("/both/x"), bearer(opaque("both"))).status == 200
    assert api.provider.count("userinfo") == asked + 1


@pytest.mark.parametrize("lines, why", [
    ("oidc_auth_methods userinfo;", "oidc_audience_required must name"),
    ("oidc_auth_methods userinfo; oidc_audience_required api;", "it must be any"),
    ("oidc_auth_methods userinfo; oidc_audience_required any; oidc_userinfo login;",
     "no login without authorization_code"),
    ("oidc_userinfo always;", "off, missing or login"),
    ("oidc_userinfo login refresh=5s;", "between 10s and"),
    ("oidc_userinfo off refresh=1m;", "after login or missing"),
    ("oidc_userinfo_accept text/html;", "application/json or application/jwt"),
    ("oidc_userinfo_endpoint /userinfo;", "absolute"),
    ("oidc_cache_user_info maybe;", "on or off"),
    ("oidc_upstream_user_info_header X-Userinfo;", "nobody asks for it"),
    ("oidc_userinfo login; oidc_upstream_user_info_header Cookie;", "the server itself needs"),
])
def test_refused(settings, op, lines, why):
    code, log = Nginx(settings, "config").check(
        "server { listen 127.0.0.1:1; server_name a.test; "
        + location("/x", protect(op.provider("userinfo")) + lines) + "}")
    assert code != 0 and why in log, log
